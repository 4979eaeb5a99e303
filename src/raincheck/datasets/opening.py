"""Opens the pairs of a published data set's part, and says what is odd about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from raincheck.datasets.held import Held
from raincheck.datasets.layout import Pair, Split
from raincheck.datasets.pair import PairedFootage, check_numbers, open_pair
from raincheck.errors import InputError
from raincheck.video.access.footage import FrameFiles
from raincheck.video.images.still import image_size

Size = tuple[int, int]


@dataclass(frozen=True)
class Opened:
    """A pair, and what is odd about it.

    Attributes:
        pair: rainy footage and its clean twin.
        cut: whether frames are cut to a common size.
        gaps: whether frames are missing in between.
    """

    pair: PairedFootage
    cut: bool = False
    gaps: bool = False


def open_split(split: Split, base: Path, title: str) -> tuple[list[PairedFootage], list[str]]:
    """Opens the videos of a split, and says what a reader of scores must know.

    Raises:
        InputError: if there are none, two have one name, or a pair does not fit or can't be read.
    """
    found = split.find(base)
    check_names(found, title)
    empty = split.published_empty(found)
    opened = [open_clip_pair(pair, split) for pair in found if pair not in empty]
    if not opened:
        there = f"what is like {split.shown} is of other parts or empty" if split.exists(base) else ""
        raise InputError(
            f"no {split.name} videos of {title} in {base}: {there or f'nothing is like {split.shown}'}; add them"
        )
    notes = [split.remark] if split.remark else []
    if split.published is not None and len(opened) != split.published:
        notes.append(f"{split.name}: {len(opened)} videos, where {split.published} were published")
    if other := sum(not as_published(split, one.pair) for one in opened):
        notes.append(f"{split.name}: {other} videos of other lengths or sizes than were published")
    if gaps := sum(one.gaps for one in opened):
        notes.append(f"{split.name}: {gaps} videos in which frames are missing, so that windows jump")
    if cut := sum(one.cut for one in opened):
        notes.append(f"{split.name}: frames of {cut} videos cut to the size that rainy and clean ones share")
    return [one.pair for one in opened], notes


def check_names(pairs: Sequence[Pair], title: str) -> None:
    """Refuses videos of one name, such as `1.mp4` and `1.avi`, which would count doubly with one clean twin.

    Raises:
        InputError: if there are any.
    """
    first: dict[str, Pair] = {}
    for pair in pairs:
        if (other := first.setdefault(pair.name, pair)) is not pair:
            raise InputError(
                f"two videos of {title} are called {pair.name}, {other.rainy.path} and {pair.rainy.path}; take one out"
            )


def as_published(split: Split, pair: PairedFootage) -> bool:
    """Whether a pair has the frames that were published, as far as their number and size are known."""
    return split.length(pair.name) in (None, len(pair)) and split.size in (None, pair.size)


def open_clip_pair(pair: Pair, split: Split) -> Opened:
    """Opens a pair, frames matched by their numbers.

    Raises:
        InputError: if a video is missing or cannot be read, or the two do not fit.
    """
    rainy, clean = pair.rainy, pair.clean
    if clean is None or not clean.path.exists():
        raise InputError(f"{rainy.path} has no clean twin at {clean and clean.path}; add it or take the video out")
    learned = split.name == "train"  # from clips at random, so that decoded frames come in again
    if not rainy.path.is_dir():
        return Opened(open_pair(pair.name, rainy.path, clean.path, held=learned))
    files = rainy.frames(), clean.frames()
    for source, frames in zip((rainy, clean), files, strict=True):
        if not frames:
            raise InputError(f"{source.path} holds no frames named {source.prefix}<n>; add them or take the video out")
    numbers = [source.numbers(frames) for source, frames in zip((rainy, clean), files, strict=True)]
    check_numbers(rainy.path, clean.path, numbers)
    sizes = {image_size(path) for path in files[0] + files[1]}
    size = common(sizes, split.slack)
    both = [FrameFiles(str(source.path), own, size) for source, own in zip((rainy, clean), files, strict=True)]
    paired = PairedFootage(pair.name, *(map(Held, both) if learned else both))
    return Opened(paired, len(sizes) > 1, have_gaps(numbers[0]))


def have_gaps(numbers: Sequence[int | None]) -> bool:
    """Whether a number is missing between the first and the last."""
    known = {number for number in numbers if number is not None}
    return len(known) > 0 and max(known) - min(known) >= len(known)


def common(sizes: set[Size], slack: int) -> Size | None:
    """The height and width that all frames have at least, None if they differ by more than `slack` pixels."""
    heights, widths = zip(*sizes, strict=True)
    fits = max(heights) - min(heights) <= slack and max(widths) - min(widths) <= slack
    return (min(heights), min(widths)) if fits else None
