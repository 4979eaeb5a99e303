"""Rainy footage and its clean twin as one video: opened, checked to fit each other, and cut."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from raincheck.datasets.base import Footage, Wrapped, check_window, random_window
from raincheck.datasets.excerpt import CentreCrop, Excerpt, hold_excerpt, open_excerpt
from raincheck.errors import ConfigError, InputError, RaincheckWarning
from raincheck.video.images import listing


class PairedFootage:
    """Rainy footage and its clean twin.

    Args:
        name: what the video is called.
        rainy: rainy footage.
        clean: the same frames without rain.

    Raises:
        InputError: if the two differ in length or size.
    """

    def __init__(self, name: str, rainy: Footage, clean: Footage) -> None:
        if len(rainy) != len(clean) or rainy.size != clean.size:
            raise InputError(
                f"{rainy.name} ({shape(rainy)}) and {clean.name} ({shape(clean)}) are no pair for the video {name}; "
                "give clean frames of the same number and size"
            )
        self.name, self.rainy, self.clean = name, rainy, clean

    def __len__(self) -> int:
        return len(self.rainy)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.rainy.size

    def read(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Rainy and clean frames, uint8 `(t, c, h, w)` each."""
        return self.rainy.read(start, count), self.clean.read(start, count)

    def check_clips(self, count: int, crop: int) -> None:
        """Raises InputError if it is shorter than `count` frames, or smaller than `crop` pixels."""
        check_window(len(self), self.size, count, crop, self.name)

    def sample(self, rng: np.random.Generator, count: int, crop: int) -> tuple[Tensor, Tensor]:
        """A random window of both, uint8 `(count, c, crop, crop)` each.

        Raises:
            InputError: if the video is shorter or smaller than the window.
        """
        start, top, left = random_window(rng, len(self), self.size, count, crop, self.name)
        rainy, clean = self.read(start, count)
        window = (..., slice(top, top + crop), slice(left, left + crop))
        return rainy[window], clean[window]


def shape(footage: Footage) -> str:
    """Length and size for a message, such as `9 frames of 64x48`."""
    return f"{len(footage)} frames of {footage.size[1]}x{footage.size[0]}"


def check_numbers(rainy: Path, clean: Path, numbers: Sequence[Sequence[int | None]]) -> None:
    """Compares the frames' numbers of two folders with as many frames.

    Raises:
        InputError: if they are others.
    """
    if numbers[0] != numbers[1] and len(numbers[0]) == len(numbers[1]):
        raise InputError(
            f"the frames of {rainy} and {clean} are numbered differently, so which belong together is "
            "unknown; add what is missing to both"
        )


def numbered(folder: Path) -> list[int]:
    """The numbers of a folder's frames; nothing if one has no number, or two have the same."""
    found = listing.numbers([path.stem for path in listing.frame_files(folder)])
    known = [number for number in found if number is not None]
    return known if len(set(known)) == len(found) else []


def check_in_step(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Compares the frames of rainy and clean folders, which belong together in order, by their numbers.

    One may count from 0 and the other from 1, which is said aloud, once for all, but not miss another frame.

    Raises:
        InputError: if two do not fit, or a folder cannot be read.
    """
    shifted = []
    for rainy, clean in pairs:
        if rainy.is_dir() and clean.is_dir():
            both = [numbered(folder) for folder in (rainy, clean)]
            check_numbers(rainy, clean, [[number - own[0] for number in own] for own in both])
            if all(both) and both[0][0] != both[1][0]:
                shifted.append(
                    f"the frames of {rainy} are numbered from {both[0][0]} and those of {clean} from {both[1][0]}"
                )
    if shifted:
        more = f", and {len(shifted) - 1} more alike" if len(shifted) > 1 else ""
        notice = (
            f"{shifted[0]}{more}; the first is taken for the twin of the first, so if one lacks its first frame, leave "
            "out the other's"
        )
        warnings.warn(notice, RaincheckWarning, stacklevel=2)


def open_pair(name: str, rainy: Path, clean: Path, held: bool = False) -> PairedFootage:
    """Opens a pair, whose decoded frames are kept if `held`.

    Raises:
        InputError: if one cannot be read, or they do not fit.
    """
    opened = hold_excerpt if held else open_excerpt
    return PairedFootage(name, Named(opened(Excerpt(rainy)), str(rainy)), Named(opened(Excerpt(clean)), str(clean)))


def cut_pair(both: PairedFootage, frames: int | None = None, size: tuple[int, int] | None = None) -> PairedFootage:
    """The first `frames` frames of a pair, cut to `size` around their centre; None keeps all.

    Raises:
        ConfigError: if nothing would be left.
    """
    if frames is None and size is None:
        return both
    most = len(both) if frames is None else frames
    if most < 1 or (size is not None and min(size) < 1):
        raise ConfigError(f"test_frames and test_size must be 1 or more, not {frames}, {size}; correct them")
    return PairedFootage(both.name, CentreCrop(both.rainy, most, size), CentreCrop(both.clean, most, size))


class Named(Wrapped):
    """Footage under its full path, so that messages tell the two of a pair apart."""

    def __init__(self, footage: Footage, name: str) -> None:
        super().__init__(footage)
        self.name = name

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1` as uint8 `(t, c, h, w)`."""
        return self.footage.read(start, count)
