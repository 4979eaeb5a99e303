"""The evaluation protocol as a plugin: every metric, per frame, then per video, then per task."""

from typing import Any

from avalanche.core import SupervisedPlugin
from torch import Tensor

from raincheck.metrics import METRICS, score_frames
from raincheck.metrics.video_mean import VideoMean
from raincheck.seam.loaders import innermost
from raincheck.video.pixels import to_uint8


class Scores(SupervisedPlugin):
    """Scores every test experience while the strategy evaluates it.

    Wants batches `(rainy, clean, video, label)` in the order of the videos' frames, as `TestClips` gives them.

    Attributes:
        rows: by metric, the score of each experience of the last `eval`, in stream order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, list[float]] = {}
        self._means: dict[str, VideoMean] = {}
        self._previous: tuple[int, Tensor, Tensor] | None = None

    def before_eval(self, strategy: Any, **kwargs: Any) -> None:
        """Forgets the last evaluation."""
        self.rows = {name: [] for name in METRICS}

    def before_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Starts a task."""
        videos = 1 + max(video for video, _ in test_frames(strategy.experience.dataset))
        self._means = {name: VideoMean(videos) for name in METRICS}
        self._previous = None

    def after_eval_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Scores the batch frame by frame, because temporal metrics want each frame's predecessor."""
        derained, clean, videos = to_uint8(strategy.mb_output).cpu(), to_uint8(strategy.mb_y).cpu(), strategy.mbatch[2]
        for index, video in enumerate(videos.tolist()):
            before = last[1:] if (last := self._previous) and last[0] == video else None
            scores = score_frames(derained[index], clean[index], before)
            for name, score in scores.items():
                self._means[name].update(score[None], videos[index : index + 1])
            self._previous = (video, derained[index], clean[index])

    def after_eval_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Closes a task."""
        for name, mean in self._means.items():
            self.rows[name].append(float(mean.compute()))


def test_frames(dataset: Any) -> list[tuple[int, int]]:
    """The (video, frame) pairs of an experience's `TestClips`, through Avalanche's wrapping."""
    frames: list[tuple[int, int]] = innermost(dataset)[0].frames
    return frames
