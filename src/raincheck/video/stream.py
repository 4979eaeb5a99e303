"""A video read once, frame after frame, in constant memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from raincheck.video.colour import Colour

FOLDER_RATE = Fraction(25)  # frames per second of footage that knows no rate: folders of images, frames in memory


class Picture(NamedTuple):
    """A frame and when it is shown.

    Attributes:
        pixels: uint8 `(c, h, w)` RGB.
        time: seconds since the video's start; later than that of the frame before.
    """

    pixels: Tensor
    time: Fraction


@dataclass(frozen=True)
class Stream:
    """A video's frames in order, and what its output must keep.

    Attributes:
        path: the file or folder; None for frames in memory.
        size: height and width in pixels, as stored: a display rotation is not applied.
        fps: average frames per second, so that a video of variable frame rate keeps its duration.
        length: frames that the container announces, else an estimate from its duration, else None. Dropped frames
            and edit lists can make it differ from `count()` by some frames, so it is for progress bars only.
        names: file names, where the video is a folder of images.
        rotation: counter-clockwise degrees of the display matrix; 0 where there is none.
        source: opens the video and yields its frames.
        counter: counts the frames without converting them to RGB.
        colour: how a video file's frames are stored and tagged; None for frames that are RGB.
        aspect: width of a pixel divided by its height; None where nothing is said.
        tick: seconds to which the times of frames are exact; None where they follow from the rate.
    """

    path: Path | None
    size: tuple[int, int]
    fps: Fraction
    length: int | None
    names: list[str] | None
    rotation: int
    source: Callable[[], Iterator[Picture]]
    counter: Callable[[], int]
    colour: Colour | None = None
    aspect: Fraction | None = None
    tick: Fraction | None = None

    def frames(self) -> Iterator[Tensor]:
        """Yields the frames from the first to the last, uint8 `(c, h, w)` RGB; every call starts again.

        Raises:
            InputError: at the frame that cannot be read or has another size.
        """
        return (picture.pixels for picture in self.pictures())

    def pictures(self) -> Iterator[Picture]:
        """Yields the frames with their times; every call starts again.

        Raises:
            InputError: at the frame that cannot be read or has another size.
        """
        return self.source()

    def count(self) -> int:
        """The exact number of frames; reads a whole video file, but of a folder only the list of its files.

        Raises:
            InputError: at the frame that cannot be read.
        """
        return self.counter()


def at_rate(frames: Iterable[Tensor], fps: Fraction) -> Iterator[Picture]:
    """Gives frames that have no times of their own those of a constant rate."""
    return (Picture(pixels, index / fps) for index, pixels in enumerate(frames))
