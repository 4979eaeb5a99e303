"""Pieces of footage: an excerpt of a file, named in a configuration, and a crop that evaluation can afford."""

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torch import Tensor

from raincheck.datasets.base import Footage, Wrapped
from raincheck.datasets.held import Held
from raincheck.video.access.footage import FrameFolder, VideoFile, open_footage
from raincheck.video.display import Matrix, upright, upright_size

TOGETHER = 32, 2**26  # frames of a video file that are decoded at once, and their bytes, at most


@dataclass(frozen=True)
class Excerpt:
    """A video or folder of frames, or a part of it.

    Attributes:
        path: where it is.
        start: first frame, None for the beginning.
        stop: the frame after the last, None for the end.
    """

    path: Path
    start: int | None = None
    stop: int | None = None

    @classmethod
    def parse(cls, text: str, root: Path) -> "Excerpt":
        """Reads `path` or `path[start:stop]`, relative to `root`."""
        match = re.fullmatch(r"(.+?)\[(-?\d*):(-?\d*)\]", text)
        if match is None:
            return cls(root / text)
        start, stop = (int(number) if number else None for number in match.groups()[1:])
        return cls(root / match[1], start, stop)

    def overlaps(self, other: "Excerpt") -> bool:
        """Whether both may show a common frame; ends counted from the end are taken for the end."""
        if self.path.resolve() != other.path.resolve():
            return False
        (first, last), (other_first, other_last) = self._ends(), other._ends()
        return first < other_last and other_first < last

    def _ends(self) -> tuple[float, float]:
        stop = math.inf if self.stop is None or self.stop < 0 else self.stop
        return max(self.start or 0, 0), stop


@cache  # the tasks of a stream share footage, and opening a video decodes it once
def open_excerpt(excerpt: Excerpt, turned: bool = False) -> Footage:
    """Opens an excerpt, as it is stored, or `turned` as players and viewers show it.

    Raises:
        InputError: if it cannot be read.
    """
    footage = open_footage(excerpt.path, excerpt.start, excerpt.stop, turned)
    if turned and isinstance(footage, VideoFile) and footage.display:
        return Upright(footage, footage.display)
    return footage


@cache
def hold_excerpt(excerpt: Excerpt, turned: bool = False) -> Held:
    """Opens an excerpt to train on; the tasks of a stream share its frames.

    Raises:
        InputError: if it cannot be read.
    """
    footage = open_excerpt(excerpt, turned)
    frame = 3 * footage.size[0] * footage.size[1]
    return Held(footage, 1 if isinstance(footage, FrameFolder) else max(1, min(TOGETHER[0], TOGETHER[1] // frame)))


@dataclass(eq=False)
class Upright(Wrapped):
    """A video turned as players show it.

    Attributes:
        footage: as it is stored.
        display: how it wants to be shown.
    """

    display: Matrix

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return upright_size(self.footage.size, self.display)

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1` as uint8 `(t, c, h, w)`."""
        return upright(self.footage.read(start, count), self.display)


@dataclass(eq=False)
class CentreCrop(Wrapped):
    """The first frames of footage, cut to a size around its centre.

    Attributes:
        footage: the whole.
        frames: at most so many.
        within: at most this height and width, pixels; None keeps all.
    """

    frames: int
    within: tuple[int, int] | None = None

    def __len__(self) -> int:
        return min(self.frames, len(self.footage))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        high, wide = self.footage.size
        return (high, wide) if self.within is None else (min(high, self.within[0]), min(wide, self.within[1]))

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1` as uint8 `(t, c, h, w)`."""
        high, wide = self.size
        top, left = (self.footage.size[0] - high) // 2, (self.footage.size[1] - wide) // 2
        return self.footage.read(start, count)[..., top : top + high, left : left + wide]
