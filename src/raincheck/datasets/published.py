"""Published data sets as rain types: what all their readers have in common. Each is a subclass in a file of its own."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import ClassVar

from raincheck import datasets
from raincheck.datasets.base import Task, TaskSource
from raincheck.datasets.held import Held
from raincheck.datasets.layout import DEPTH, Forms, Pair, Split, places
from raincheck.datasets.pair import PairedFootage, check_numbers, cut_pair, open_pair
from raincheck.errors import ConfigError, InputError
from raincheck.video.footage import FrameFiles
from raincheck.video.still import image_size

Size = tuple[int, int]


class PublishedPairs(TaskSource):
    """A published data set as one rain type, split and paired as it was published.

    A part of a data set is taken as it is; the task's notes, and so the run's report, say what is not there.

    Attributes:
        title: what the data set is called.
        forms: its splits, by the name of the form in which it circulates.
        usual: the form to take where several are there and none is asked for; None asks.

    Args:
        root: folder that holds the data set, itself or up to two folders further down.
        name: what the task is called; by default as the data set, with its form.
        form: which form to read, where a data set has several; by default the one that is there.
        test_frames: at most so many frames of each test video; None, as published, all.
        test_size: test videos are cut to this height and width around their centre; None, as published, keeps all.

    Raises:
        ConfigError: if the data set has no such form.
    """

    title: ClassVar[str]
    forms: ClassVar[Forms]
    usual: ClassVar[str | None] = None

    def __init__(
        self,
        root: str = ".",
        name: str | None = None,
        form: str | None = None,
        test_frames: int | None = None,
        test_size: tuple[int, int] | None = None,
    ) -> None:
        if form is not None and form not in self.forms:
            raise ConfigError(f"{self.title} has no form {form!r}; choose one of {', '.join(self.forms)}")
        self.root, self.name, self.form = Path(root), name, form
        self.test_frames, self.test_size = test_frames, test_size

    @classmethod
    def unfinished(cls, place: Path) -> str | None:
        """What is not finished about the data set in a folder, and what to do about it; None if nothing is."""
        return None

    @classmethod
    def refuse_unfinished(cls, place: Path) -> None:
        """Raises InputError if a data set in a folder is not finished."""
        if why := cls.unfinished(place):
            raise InputError(f"{place} cannot be read as {cls.title}: {why}")

    def rebase(self, folder: Path) -> None:
        """Takes the root from there."""
        self.root = folder / self.root

    def task(self, seed: int) -> Task:
        """Opens all videos; `seed` changes nothing, the split is the published one.

        Raises:
            ConfigError: if the data set is there more than once.
            InputError: if it is not there or not finished, has nothing to train or test on, or a pair does not fit or
                can't be read.
        """
        form, base = self.place()
        self.refuse_unfinished(base)
        splits = {split.name: split for split in self.forms[form]}
        train, train_notes = open_split(splits["train"], base, self.title)
        test, test_notes = open_split(splits["test"], base, self.title)
        several = len(self.forms) > 1
        return Task(
            self.name or (f"{self.title}-{form}" if several else self.title),
            train,
            [cut_pair(pair, self.test_frames, self.test_size) for pair in test],
            (f"{self.title}, form {form}" if several else self.title, *train_notes, *test_notes),
        )

    def place(self) -> tuple[str, Path]:
        """The form that is there, and its folder.

        Raises:
            ConfigError: if there are several.
            InputError: if there is none.
        """
        if not self.root.is_dir():
            raise InputError(f"there is no folder {self.root} to read {self.title} from; give the one that holds it")
        wanted = {form: splits for form, splits in self.forms.items() if self.form in (None, form)}
        found = locate(wanted, self.root)
        if not found:
            self.refuse_unfinished(self.root)
            like = " or ".join(dict.fromkeys(splits[0].shown for splits in wanted.values()))
            raise InputError(
                f"no {self.title} in {self.root} or up to {DEPTH} folders below: nothing is like {like}; give the "
                "folder that holds it as root"
            )
        usual = [(form, place) for form, place in found if form == self.usual] or found
        if len(usual) > 1:
            there = " and ".join(f"form {form} in {place}" if form else str(place) for form, place in usual)
            raise ConfigError(f"{self.title} is there more than once: {there}; choose one by root or form")
        return usual[0]


def locate(forms: Forms, root: Path) -> list[tuple[str, Path]]:
    """Forms of one data set that are there, and their folders; what lies inside another is a part of that."""
    found = [(form, place) for form, splits in forms.items() for place in places(root, splits)]
    return [(form, place) for form, place in found if not any(other in place.parents for _, other in found)]


def open_split(split: Split, base: Path, title: str) -> tuple[list[PairedFootage], list[str]]:
    """Opens the videos of a split, and says what a reader of scores must know.

    Raises:
        InputError: if there are none, or a pair does not fit or can't be read.
    """
    found = split.find(base)
    empty = [pair for pair in found if pair.rainy.path.is_dir() and not pair.rainy.frames()][: split.empty]
    opened = [open_clip_pair(pair, split) for pair in found if pair not in empty]
    if not opened:
        raise InputError(f"no {split.name} videos of {title} in {base}: nothing is like {split.shown}; add them")
    notes = [split.remark] if split.remark else []
    if split.published is not None and len(opened) != split.published:
        notes.append(f"{split.name}: {len(opened)} videos, where {split.published} were published")
    if other := sum(not as_published(split, pair) for pair, _ in opened):
        notes.append(f"{split.name}: {other} videos of other lengths or sizes than were published")
    if cut := sum(was_cut for _, was_cut in opened):
        notes.append(f"{split.name}: frames of {cut} videos cut to the size that rainy and clean ones share")
    return [pair for pair, _ in opened], notes


def as_published(split: Split, pair: PairedFootage) -> bool:
    """Whether a pair has the frames that were published, as far as their number and size are known."""
    return split.length(pair.name) in (None, len(pair)) and split.size in (None, pair.size)


def open_clip_pair(pair: Pair, split: Split) -> tuple[PairedFootage, bool]:
    """Opens a pair, frames matched by their numbers; tells whether frames are cut to a common size.

    Raises:
        InputError: if a video is missing or cannot be read, or the two do not fit.
    """
    rainy, clean = pair.rainy, pair.clean
    if clean is None or not clean.path.exists():
        raise InputError(f"{rainy.path} has no clean twin at {clean and clean.path}; add it or take the video out")
    learned = split.name == "train"  # from clips at random, so that decoded frames come in again
    if not rainy.path.is_dir():
        return open_pair(pair.name, rainy.path, clean.path, held=learned), False
    files = rainy.frames(), clean.frames()
    for source, frames in zip((rainy, clean), files, strict=True):
        if not frames:
            raise InputError(f"{source.path} holds no frames named {source.prefix}<n>; add them or take the video out")
    numbers = [[source.number(f) for f in frames] for source, frames in zip((rainy, clean), files, strict=True)]
    check_numbers(rainy.path, clean.path, numbers)
    sizes = {image_size(path) for path in files[0] + files[1]}
    size = common(sizes, split.slack)
    both = [FrameFiles(str(source.path), own, size) for source, own in zip((rainy, clean), files, strict=True)]
    return PairedFootage(pair.name, *(map(Held, both) if learned else both)), len(sizes) > 1


def common(sizes: set[Size], slack: int) -> Size | None:
    """The height and width that all frames have at least, None if they differ by more than `slack` pixels."""
    heights, widths = zip(*sizes, strict=True)
    fits = max(heights) - min(heights) <= slack and max(widths) - min(widths) <= slack
    return (min(heights), min(widths)) if fits else None


def catalogue() -> list[type[PublishedPairs]]:
    """The readers of all published data sets, by title: every subclass in this folder is found by existing."""
    for module in iter_modules(datasets.__path__):
        import_module(f"{datasets.__name__}.{module.name}")
    return sorted(PublishedPairs.__subclasses__(), key=lambda reader: reader.title)
