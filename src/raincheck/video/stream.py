"""A video read once, frame after frame, in constant memory."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, TypeVar

from torch import Tensor

from raincheck.errors import InputError
from raincheck.video.colour import Colour
from raincheck.video.display import Matrix
from raincheck.video.part import WHOLE, Part

Item = TypeVar("Item")

FOLDER_RATE = Fraction(25)  # frames per second of footage that knows no rate: folders of images, frames in memory


class Picture(NamedTuple):
    """A frame and when it is shown.

    Attributes:
        pixels: uint8 or uint16 `(c, h, w)` RGB.
        time: seconds since the video's start; later than that of the frame before.
        wanted: False for one that only the windows of others see.
        lasts: seconds for which it is shown, where the file says other than the rate.
        last: whether it is the last frame of a video file.
    """

    pixels: Tensor
    time: Fraction
    wanted: bool = True
    lasts: Fraction | None = None
    last: bool = False


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
        source: opens the video and yields the frames of a part, and so many more before and behind it; in uint16 if
            the third argument is True and there is something to gain.
        counter: counts the frames without converting them to RGB.
        colour: how a video file's frames are stored and tagged; None for frames that are RGB.
        aspect: width of a pixel divided by its height; None where nothing is said.
        tick: seconds to which the times of frames are exact; None where they follow from the rate.
        bits: of a value as it is stored.
        interlaced: whether a frame holds the lines of two moments.
        transparent: whether a video file says for each pixel how much of it is to be seen.
        display: how frames are turned and mirrored to be shown; empty where they are not.
        asides: what the file says beside its first frame that no file of ours says again, in words.
    """

    path: Path | None
    size: tuple[int, int]
    fps: Fraction
    length: int | None
    names: list[str] | None
    source: Callable[[Part, int, bool], Iterator[Picture]]
    counter: Callable[[], int]
    colour: Colour | None = None
    aspect: Fraction | None = None
    tick: Fraction | None = None
    bits: int = 8
    interlaced: bool = False
    transparent: bool = False
    display: Matrix = ()
    asides: Sequence[str] = ()

    def files(self) -> list[Path] | None:
        """The images, where it is made of such."""
        if self.path is None or self.names is None:
            return None
        return [self.path / name for name in self.names] if self.path.is_dir() else [self.path]

    def frames(self) -> Iterator[Tensor]:
        """Yields the frames from the first to the last, uint8 `(c, h, w)` RGB; every call starts again.

        Raises:
            InputError: at the frame that cannot be read or has another size.
        """
        return (picture.pixels for picture in self.pictures())

    def pictures(self, part: Part = WHOLE, around: int = 0, deep: bool = False) -> Generator[Picture, None, None]:
        """Yields the frames with their times; every call starts again.

        Args:
            part: what is wanted of the video.
            around: frames before and behind the part that are read as well, where there are so many.
            deep: what is stored with more than 8 bits is read as uint16.

        Raises:
            InputError: at the frame that cannot be read or has another size, or if the part has no frame.
        """
        empty = True
        for picture in self.source(part, around, deep):
            empty = empty and not picture.wanted
            yield picture
        if empty:
            raise InputError(f"{self.path or 'the video'} has no frame between --start and --end; choose other moments")

    def count(self) -> int:
        """The exact number of frames; reads a whole video file, but of a folder only the list of its files.

        Raises:
            InputError: at the frame that cannot be read.
        """
        return self.counter()


def timed(frames: Iterable[Item], fps: Fraction) -> Iterator[tuple[Item, Fraction]]:
    """Gives frames that have no times of their own those of a constant rate."""
    return ((frame, index / fps) for index, frame in enumerate(frames))


def at_rate(frames: Iterable[Tensor], fps: Fraction) -> Iterator[Picture]:
    """Makes pictures of frames that have no times of their own."""
    return (Picture(*frame) for frame in timed(frames, fps))
