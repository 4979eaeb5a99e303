"""Rainy videos with clean twins on disk: two parallel folder trees, or sets of video files, matched by name."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from raincheck.datasets.base import Footage, PairedVideo, Task, TaskSource, Wrapped, random_window
from raincheck.datasets.excerpt import CentreCrop, Excerpt, hold_excerpt, open_excerpt
from raincheck.errors import ConfigError, InputError
from raincheck.video import still

VIDEO_SUFFIXES = {".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg"}


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
            f"the frames of {rainy} and {clean} have different numbers, so that which belong together is "
            "unknown; add what is missing to both"
        )


def steps(folder: Path) -> list[int]:
    """How far each numbered frame of a folder is from the first; nothing if one has no number, or two have the same."""
    numbers = [number for path in still.frame_files(folder) if (number := still.number(path.stem)) is not None]
    whole = len(set(numbers)) == len(still.frame_files(folder))
    return [number - numbers[0] for number in numbers] if whole else []


def check_in_step(rainy: Path, clean: Path) -> None:
    """Compares the frames of two folders, which belong together in order, by their numbers.

    One may count from 0 and the other from 1, but not miss another frame.

    Raises:
        InputError: if they do not fit, or a folder cannot be read.
    """
    if rainy.is_dir() and clean.is_dir():
        check_numbers(rainy, clean, [steps(folder) for folder in (rainy, clean)])


def open_pair(name: str, rainy: Path, clean: Path, held: bool = False) -> PairedFootage:
    """Opens a pair, whose decoded frames are kept if `held`.

    Raises:
        InputError: if one cannot be read, they do not fit, or are folders of numbered frames that do not fit.
    """
    check_in_step(rainy, clean)
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


def find_videos(root: Path) -> dict[str, Path]:
    """Videos below a folder by name: video files, and folders that hold pictures.

    A name is the path relative to `root`, without suffix for files. Other files, such as Thumbs.db, are ignored.

    Raises:
        InputError: if there is no such folder or no video in it.
    """
    if not root.is_dir():
        raise InputError(f"there is no folder of videos at {root}; name the folder that holds them")
    inside = sorted(below(root, frozenset()))
    files = {p.with_suffix("").relative_to(root).as_posix(): p for p in inside if p.suffix.lower() in VIDEO_SUFFIXES}
    pictures = {p.parent for p in inside if p.suffix.lower() in still.SUFFIXES}
    found = files | {folder.relative_to(root).as_posix(): folder for folder in sorted(pictures)}
    if not found:
        raise InputError(f"no video in {root}; it must hold video files or folders of frames")
    return dict(sorted(found.items()))


def below(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """All files below a folder that are not hidden; links to folders are followed, but not to one of those `above`.

    Raises:
        InputError: if a folder cannot be read.
    """
    above |= {folder.resolve()}
    for path in still.entries(folder):
        if still.hidden(path):
            continue
        if not path.is_dir():
            yield path
        elif path.resolve() not in above:
            yield from below(path, above)


class PairedFolders(TaskSource):
    """A rain type recorded or rendered elsewhere: rainy videos in one folder, clean ones of the same names in another.

    Args:
        name: what the task is called.
        rainy: folder of rainy videos: video files, or folders of frames at any depth.
        clean: folder of clean videos with the same relative names; suffixes may differ.
        test: names of the test videos; all others are for training. By default the last fifth, at least one.
        root: folder that `rainy` and `clean` are relative to.
        test_frames: at most so many frames of each test video; None keeps all.
        test_size: test videos are cut to this height and width around their centre; None keeps all.
    """

    def __init__(
        self,
        name: str,
        rainy: str,
        clean: str,
        test: list[str] | None = None,
        root: str = ".",
        test_frames: int | None = None,
        test_size: tuple[int, int] | None = None,
    ) -> None:
        self.name, self.rainy, self.clean = name, Path(root) / rainy, Path(root) / clean
        self.test, self.test_frames, self.test_size = test, test_frames, test_size

    def rebase(self, folder: Path) -> None:
        """Takes the two folders from there."""
        self.rainy, self.clean = folder / self.rainy, folder / self.clean

    def task(self, seed: int) -> Task:
        """Opens all videos; `seed` changes nothing.

        Raises:
            ConfigError: if a test video does not exist, or none is left to train on.
            InputError: if a video has no partner, does not fit it, or cannot be read.
        """
        rainy, clean = find_videos(self.rainy), find_videos(self.clean)
        if set(rainy) != set(clean):
            alone = min(set(rainy) ^ set(clean))
            has, lacks = (rainy[alone], self.clean) if alone in rainy else (clean[alone], self.rainy)
            raise InputError(f"{has} has no partner called {alone} in {lacks}; add it or take the video out")
        train, test = self.split(rainy)
        return Task(
            self.name,
            [open_pair(name, rainy[name], clean[name], held=True) for name in train],
            [self.test_pair(name, rainy[name], clean[name]) for name in test],
        )

    def test_pair(self, name: str, rainy: Path, clean: Path) -> PairedVideo:
        """A test video, cut to what is scored."""
        return cut_pair(open_pair(name, rainy, clean), self.test_frames, self.test_size)

    def split(self, videos: Mapping[str, Path]) -> tuple[list[str], list[str]]:
        """Names of the training and of the test videos.

        Raises:
            ConfigError: if a test video does not exist, or one of the two parts is empty.
        """
        names = list(videos)
        test = names[-max(1, len(names) // 5) :] if self.test is None else self.test
        unknown = [name for name in test if name not in videos]
        train = [name for name in names if name not in test]
        if unknown or not train or not test:
            wrong = (
                f"no video is called {unknown[0]!r}" if unknown else f"{len(train)} train and {len(test)} test videos"
            )
            raise ConfigError(f"task {self.name}: {wrong} in {self.rainy}; choose test videos among {', '.join(names)}")
        return train, test
