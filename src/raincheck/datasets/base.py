"""What every data set provides: tasks, made of paired videos, from which clips are cut.

A `Footage` is clean video. A `PairedVideo` is rainy video with its clean twin. A `Task` is one rain type: named, with
training and test videos. A `TaskSource` builds it. `raincheck.datasets.clips` cuts the windows that a network sees.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from raincheck.errors import ConfigError, InputError


class Video(Protocol):
    """What footage and paired videos tell of themselves."""

    name: str

    def __len__(self) -> int:
        """Number of frames."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        ...


class Footage(Video, Protocol):
    """Clean video with random access; picklable, opening its file lazily in each process."""

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1` as uint8 `(t, c, h, w)`."""
        ...


@dataclass(eq=False)
class Wrapped:
    """Footage, or video, that is made of other footage, and has its name, length and size unless it says otherwise.

    Attributes:
        footage: what it is made of.
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


class PairedVideo(Video, Protocol):
    """Rainy video with its clean twin."""

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


@runtime_checkable
class Bounded(Protocol):
    """Video of which not every clip can be cut, and which can tell before any is."""

    def check_clips(self, count: int, crop: int) -> None:
        """Raises InputError if it is shorter than `count` frames, or smaller than `crop` pixels."""
        ...


def check_window(length: int, size: tuple[int, int], count: int, crop: int, name: str) -> None:
    """Refuses a video that is shorter than `count` frames, or smaller than `crop` x `crop` pixels.

    Raises:
        InputError: naming the video.
    """
    if length < count or min(size) < crop:
        raise InputError(
            f"{name}: {length} frames of {size[1]}x{size[0]} are too few or too small for clips of {count} frames of "
            f"{crop}x{crop}; lower the crop or leave the video out"
        )


def random_window(
    rng: np.random.Generator, length: int, size: tuple[int, int], count: int, crop: int, name: str
) -> tuple[int, int, int]:
    """First frame, top row and left column of a random window of `count` frames of `crop` x `crop` pixels.

    Raises:
        InputError: if the video is shorter or smaller than the window.
    """
    check_window(length, size, count, crop, name)
    height, width = size
    start = int(rng.integers(length - count + 1))
    return start, int(rng.integers(height - crop + 1)), int(rng.integers(width - crop + 1))
