"""The windows that a network sees, cut from paired videos: random ones to learn from, and every one to be scored on."""

import os
import signal
from collections.abc import Sequence
from functools import cache
from threading import current_thread, main_thread

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from raincheck.datasets.augment import Augment
from raincheck.datasets.base import Bounded, PairedVideo
from raincheck.errors import ConfigError, InputError
from raincheck.video.cuts import CONTEXT, shots
from raincheck.video.pixels import to_float
from raincheck.video.window import reflect

BEHIND = 5  # by how much a worker's niceness is above that of the process that learns


class TrainClips(Dataset[tuple[Tensor, Tensor, int]]):
    """Random training windows: sample `index` is a function of (seed, experience, index) and of nothing else.

    Items are `(rainy, clean, experience)`: rainy `(t, c, h, w)`, clean centre frame `(c, h, w)`, float32 in [0, 1].

    Args:
        videos: videos to cut from; each is as likely as any other.
        window: frames of a clip, odd.
        crop: height and width of a clip in pixels.
        samples: length of the data set; one pass over it is one experience.
        seed: seed of the run.
        experience: position of the task in the stream, which is also its label.
        augment: how clips vary besides their crop; by default half of them are mirrored.

    Raises:
        ConfigError: if there are no videos or no samples, or the window has no centre.
    """

    by_index = True  # a sample depends on its index alone, so others may be skipped

    def __init__(
        self,
        videos: Sequence[PairedVideo],
        *,
        window: int,
        crop: int,
        samples: int,
        seed: int,
        experience: int,
        augment: Augment | None = None,
    ) -> None:
        if not videos or samples < 1:
            raise ConfigError(
                f"experience {experience} is empty: it has {len(videos)} training videos and {samples} samples; "
                "give it at least one of each"
            )
        refuse_centreless(window)
        self.videos, self.window, self.crop = videos, window, crop
        self.samples, self.seed, self.experience = samples, seed, experience
        self.augment = augment or Augment()

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        if get_worker_info():
            begin_worker()
        rainy, clean = self.pair(index)
        return to_float(rainy), to_float(clean[self.window // 2]), self.experience

    def pair(self, index: int) -> tuple[Tensor, Tensor]:
        """Sample `index` before it becomes an item: rainy and clean clip, uint8 `(t, c, h, w)` each."""
        rng = np.random.default_rng((self.seed, self.experience, index))
        video = self.videos[int(rng.integers(len(self.videos)))]
        return self.augment(rng, *video.sample(rng, self.window, self.crop))


class TestClips(Dataset[tuple[Tensor, Tensor, int, int]]):
    """Every window of every test video, in order; each frame is scored once.

    Windows are reflected at the ends of a video, and at cuts between its shots, as `derain` does.

    Items are `(rainy, clean, video, experience)`: rainy `(t, c, h, w)`, clean centre frame `(c, h, w)`, float32 in
    [0, 1], the video's index, the task's label.

    Args:
        videos: test videos.
        window: frames of a clip, odd.
        experience: position of the task in the stream.

    Raises:
        ConfigError: if the window has no centre.
        InputError: if there are no frames.
    """

    __test__ = False  # pytest: not a test

    def __init__(self, videos: Sequence[PairedVideo], *, window: int, experience: int) -> None:
        refuse_centreless(window)
        self.videos, self.window, self.experience = videos, window, experience
        self.frames = [(v, f) for v, video in enumerate(videos) for f in range(len(video))]
        if not self.frames:
            raise InputError(f"experience {experience} has no test frames; give it at least one test video")
        # Windows overlap, and rendering or decoding a frame costs more than keeping it.
        self._held: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int, int]:
        v, frame = self.frames[index]
        pairs = [self._frame(v, i) for i in self._window(v, frame)]
        clean = pairs[self.window // 2][1]
        return to_float(torch.stack([rainy for rainy, _ in pairs])), to_float(clean), v, self.experience

    def _window(self, video: int, frame: int) -> list[int]:
        """The frames around one. Cuts are looked for without rain, which can look like one."""
        radius = self.window // 2
        reach = radius + CONTEXT if radius else 0
        near = range(max(0, frame - reach), min(frame + reach + 1, len(self.videos[video])))
        shot_of = dict(shots(near, lambda i: self._frame(video, i)[1]))
        shot = [i for i in near if shot_of[i] == shot_of[frame]]
        middle = frame - shot[0]
        return [shot[reflect(i, len(shot))] for i in range(middle - radius, middle + radius + 1)]

    def _frame(self, video: int, frame: int) -> tuple[Tensor, Tensor]:
        if (video, frame) not in self._held:
            if len(self._held) > 2 * self.window:
                del self._held[next(iter(self._held))]
            rainy, clean = self.videos[video].read(frame, 1)
            self._held[video, frame] = rainy[0], clean[0]
        return self._held[video, frame]


@cache  # once in each
def begin_worker() -> None:
    """Makes this process one that works for another, which learns; Avalanche's loaders take no `worker_init_fn`.

    It leaves the cores to the other: of two threads of a step, one waits for the other. SIGTERM, which schedulers send
    to both, ends it as if its work were done: of a worker that was killed, torch tells the other in a traceback.
    """
    if current_thread() is main_thread():  # others may set no handler
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if hasattr(os, "nice"):  # not on Windows
        os.nice(BEHIND)


def refuse_short(videos: Sequence[PairedVideo], window: int, crop: int) -> None:
    """Refuses training videos of which no clip can be cut, before the work, where they can tell.

    Raises:
        InputError: naming the first.
    """
    for video in videos:
        if isinstance(video, Bounded):
            video.check_clips(window, crop)


def refuse_centreless(window: int) -> None:
    """Raises ConfigError for a number of frames of which none is the centre."""
    if window < 1 or window % 2 == 0:
        raise ConfigError(f"a clip of {window} frames has no centre frame; give an odd window of 1 or more")
