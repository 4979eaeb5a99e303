"""What every data set provides: tasks, made of paired videos, from which clips are cut.

A `Footage` is clean video. A `PairedVideo` is rainy video with its clean twin. A `Task` is one rain type: named, with
training and test videos. `TrainClips` and `TestClips` cut the windows that a network sees.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from raincheck.datasets.augment import Augment
from raincheck.errors import ConfigError, InputError
from raincheck.video.pixels import to_float
from raincheck.video.window import reflect


class Footage(Protocol):
    """Clean video with random access; picklable, opening its file lazily in each process."""

    name: str

    def __len__(self) -> int:
        """Number of frames."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        ...

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1` as uint8 `(t, c, h, w)`."""
        ...


@dataclass(eq=False)
class Wrapped:
    """What is made of footage, under its name, of its length and its size.

    Attributes:
        footage: the whole.
    """

    footage: Footage

    def __post_init__(self) -> None:
        """Takes the name of the footage."""
        self.name = self.footage.name

    def __len__(self) -> int:
        return len(self.footage)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.footage.size


class PairedVideo(Protocol):
    """Rainy video with its clean twin."""

    name: str

    def __len__(self) -> int:
        """Number of frames."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        ...

    def read(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Rainy and clean frames, uint8 `(t, c, h, w)` each; the same values at every call."""
        ...

    def sample(self, rng: np.random.Generator, count: int, crop: int) -> tuple[Tensor, Tensor]:
        """A random training clip and its clean twin, uint8 `(count, c, crop, crop)`, decided by `rng` alone."""
        ...


@dataclass(frozen=True)
class Task:
    """One rain type.

    Attributes:
        name: what the task is called in matrices and reports.
        train: videos to learn from.
        test: videos to score on; none of them, nor another rain over the same footage, is in `train`.
        notes: what a reader of scores must know, such as the form of a data set and what of it is missing.
    """

    name: str
    train: Sequence[PairedVideo]
    test: Sequence[PairedVideo]
    notes: Sequence[str] = ()


class TaskSource(ABC):
    """A data set's configuration: builds a `Task`."""

    @abstractmethod
    def task(self, seed: int) -> Task:
        """Builds the task; what is random in it is a function of `seed`."""

    def rebase(self, folder: Path) -> None:
        """Takes relative paths from `folder` instead of the working directory.

        Raises:
            ConfigError: by default, where a data set has no paths.
        """
        raise ConfigError(f"{type(self).__name__} reads nothing from {folder}; leave stream.root out")


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

    by_index = True  # nothing is lost by leaving samples out

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
        rainy, clean = self.pair(index)
        return to_float(rainy), to_float(clean[self.window // 2]), self.experience

    def pair(self, index: int) -> tuple[Tensor, Tensor]:
        """Sample `index` before it becomes an item: rainy and clean clip, uint8 `(t, c, h, w)` each."""
        rng = np.random.default_rng((self.seed, self.experience, index))
        video = self.videos[int(rng.integers(len(self.videos)))]
        return self.augment(rng, *video.sample(rng, self.window, self.crop))


class TestClips(Dataset[tuple[Tensor, Tensor, int, int]]):
    """Every window of every test video, in order; the ends are reflected, so each frame is scored once.

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
        radius = self.window // 2
        window = range(frame - radius, frame + radius + 1)
        pairs = [self._frame(v, reflect(i, len(self.videos[v]))) for i in window]
        return to_float(torch.stack([rainy for rainy, _ in pairs])), to_float(pairs[radius][1]), v, self.experience

    def _frame(self, video: int, frame: int) -> tuple[Tensor, Tensor]:
        if (video, frame) not in self._held:
            if len(self._held) > 2 * self.window:
                del self._held[next(iter(self._held))]
            rainy, clean = self.videos[video].read(frame, 1)
            self._held[video, frame] = rainy[0], clean[0]
        return self._held[video, frame]


def refuse_centreless(window: int) -> None:
    """Raises ConfigError for a number of frames of which none is the centre."""
    if window < 1 or window % 2 == 0:
        raise ConfigError(f"a clip of {window} frames has no centre frame; give an odd window of 1 or more")


def random_window(
    rng: np.random.Generator, length: int, size: tuple[int, int], count: int, crop: int, name: str
) -> tuple[int, int, int]:
    """First frame, top row and left column of a random window of `count` frames of `crop` x `crop` pixels.

    Raises:
        InputError: if the video is shorter or smaller than the window.
    """
    height, width = size
    if length < count or height < crop or width < crop:
        raise InputError(
            f"{name}: {length} frames of {width}x{height} are too few or too small for clips of {count} frames of "
            f"{crop}x{crop}; lower the crop or leave the video out"
        )
    start = int(rng.integers(length - count + 1))
    return start, int(rng.integers(height - crop + 1)), int(rng.integers(width - crop + 1))
