"""Scores against means taken by hand: per frame, then per video, then per task."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from raincheck.datasets.base import Task
from raincheck.plugins.scores import Scores
from tinytasks import KINDS, Learned, learn, learn_in_avalanche, tiny_stream, tiny_task


def luma(frame: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """BT.601 limited range of `(h, w, c)`, rounded."""
    return np.floor(16 + (frame @ np.array([65.481, 128.553, 24.966])) / 255 + 0.5)


def by_hand(network: Any, task: Task) -> dict[str, float]:
    """The protocol written down once more, frame by frame, with scikit-image."""
    means: dict[str, list[float]] = {}
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    for video in task.test:
        rainy, clean = video.read(0, len(video))
        padded = torch.cat([rainy[1:2], rainy, rainy[-2:-1]]).float() / 255  # reflected ends, window 3
        with torch.no_grad():
            output = torch.cat([network(padded[None, i : i + 3]) for i in range(len(video))])
        frames = [(x.permute(1, 2, 0).numpy()).astype(float) for x in (output.clamp(0, 1) * 255).round()]
        twins = [x.permute(1, 2, 0).numpy().astype(float) for x in clean]
        pairs = list(zip(frames, twins, strict=True))
        scores: dict[str, list[float]] = {
            "psnr_y": [peak_signal_noise_ratio(luma(c), luma(d), data_range=255) for d, c in pairs],
            "ssim_y": [structural_similarity(luma(c), luma(d), **gaussian) for d, c in pairs],
            "psnr_rgb": [peak_signal_noise_ratio(c, d, data_range=255) for d, c in pairs],
            "ssim_rgb": [structural_similarity(c, d, channel_axis=2, **gaussian) for d, c in pairs],
            "temporal_y": [
                float(
                    np.abs(
                        (luma(pairs[i][0]) - luma(pairs[i - 1][0])) - (luma(pairs[i][1]) - luma(pairs[i - 1][1]))
                    ).mean()
                )
                for i in range(1, len(pairs))
            ],
        }
        for name, values in scores.items():
            means.setdefault(name, []).append(float(np.mean(values)))
    return {name: float(np.mean(values)) for name, values in means.items()}


@pytest.mark.parametrize("loop", [learn, learn_in_avalanche])
def test_all_metrics_by_hand(loop: Any) -> None:
    scores = Scores()
    learned: Learned = loop(lambda: [scores], stream=tiny_stream(8))
    learned.strategy.eval(learned.stream.test_stream)
    network = learned.strategy.model.eval()
    for position, kind in enumerate(KINDS):
        expected = by_hand(network, tiny_task(kind))
        found = {name: scores.rows[name][position] for name in expected}
        assert found == pytest.approx(expected, rel=1e-4), kind
    assert list(scores.rows)[:5] == ["psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "temporal_y"]


def test_each_evaluation_starts_afresh_and_batches_change_nothing() -> None:
    scores = Scores()
    learned = learn(lambda: [scores], stream=tiny_stream(8))
    rows = []
    for size in (1, 1, 3):
        learned.strategy.eval_mb_size = size
        learned.strategy.eval(learned.stream.test_stream)
        rows.append(scores.rows)
    assert rows[0] == rows[1]
    assert all(rows[2][name] == pytest.approx(row, rel=1e-6) for name, row in rows[0].items())
    assert all(len(row) == 3 for row in rows[0].values())


def test_a_video_of_one_frame_has_no_temporal_score_and_no_weight_in_it() -> None:
    def temporal(lengths: tuple[int, ...]) -> float:
        scores = Scores()
        task = tiny_task("streaks", lengths)
        learned = learn(lambda: [scores], stream=tiny_stream(8, [task]))
        learned.strategy.eval(learned.stream.test_stream)
        return scores.rows["temporal_y"][0]

    assert temporal((5, 1)) == temporal((5,)) and np.isnan(temporal((1,)))


def test_the_seam_between_videos_is_no_motion() -> None:
    """Two videos whose frames never change, so that only a difference across the seam could be above zero."""
    scores = Scores()
    task = tiny_task("veil", (3, 3))
    for video in task.test:
        video.clean[:] = video.clean[:1].clone()
        video.rainy[:] = video.rainy[:1].clone()
    assert not torch.equal(task.test[0].clean, task.test[1].clean)
    learned = learn(lambda: [scores], stream=tiny_stream(8, [task]))
    learned.strategy.eval(learned.stream.test_stream)
    assert scores.rows["temporal_y"] == [0.0]


def test_an_untrained_network_scores_the_rainy_input() -> None:
    scores = Scores()
    from raincheck.networks import Identity

    class Still(Identity):
        """With a weight, because an optimizer wants one."""

        def __init__(self) -> None:
            super().__init__(3)
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def decode(self, features: Sequence[Tensor], centre: Tensor) -> Tensor:
            return centre + 0 * self.unused

    learned = learn(lambda: [scores], stream=tiny_stream(8))
    learned.strategy.model = Still()
    learned.strategy.eval(learned.stream.test_stream)
    expected = [by_hand(Still(), tiny_task(kind))["psnr_y"] for kind in KINDS]
    assert scores.rows["psnr_y"] == pytest.approx(expected, rel=1e-6)
