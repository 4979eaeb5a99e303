"""Published data sets as rain types: what all their readers have in common. Each is a subclass in a file of its own."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import ClassVar

from raincheck import datasets
from raincheck.datasets.base import Task, TaskSource
from raincheck.datasets.layout import DEPTH, Forms, Split, places
from raincheck.datasets.opening import open_split
from raincheck.datasets.pair import cut_pair
from raincheck.datasets.search import matching
from raincheck.errors import ConfigError, InputError


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
            halves = not any(has_both(self.forms[form], place) for form, place in usual)
            remedy = (
                "none has videos to train and to test on: put both into one" if halves else "choose one by root or form"
            )
            raise ConfigError(f"{self.title} is there more than once: {there}; {remedy}")
        return usual[0]


def has_both(splits: Sequence[Split], place: Path) -> bool:
    """Whether there are videos to train and to test on."""
    return all(split.exists(place) for split in splits if split.name in ("train", "test"))


def locate(forms: Forms, root: Path) -> list[tuple[str, Path]]:
    """Forms of one data set that are there, and their folders, outer ones first; none whose videos all are another's.

    The videos of one form may be laid out like another in a folder further down, and links may lead to the same ones.
    """
    found = [(form, place) for form, splits in forms.items() for place in places(root, splits)]
    kept: dict[tuple[str, Path], set[Path]] = {}
    for form, place in sorted(found, key=lambda one: len(one[1].parts)):
        own = videos(forms[form], place)
        if not any(own <= others for others in kept.values()):
            kept[form, place] = own
    return list(kept)


def videos(splits: Sequence[Split], place: Path) -> set[Path]:
    """The rainy videos of all splits by the folders in which they really lie; one that is a link counts as its own."""
    found = {path for split in splits for path, _ in matching(place, split.rainy)}
    real = {folder: folder.resolve() for folder in {path.parent for path in found}}
    return {real[path.parent] / path.name for path in found}


def catalogue() -> list[type[PublishedPairs]]:
    """The readers of all published data sets, by title: every subclass in this folder is found by existing."""
    for module in iter_modules(datasets.__path__):
        import_module(f"{datasets.__name__}.{module.name}")
    return sorted(PublishedPairs.__subclasses__(), key=lambda reader: reader.title)
