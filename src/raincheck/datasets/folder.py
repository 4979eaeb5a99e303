"""Rainy videos with clean twins on disk: two parallel folder trees, or sets of video files, matched by name."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from raincheck.datasets.base import PairedVideo, Task, TaskSource
from raincheck.datasets.pair import check_in_step, cut_pair, open_pair
from raincheck.errors import ConfigError, InputError
from raincheck.video.images import listing

VIDEO_SUFFIXES = {".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg"}


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
    pictures = {p.parent for p in inside if p.suffix.lower() in listing.SUFFIXES}
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
    for path in listing.entries(folder):
        if listing.hidden(path):
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
        check_in_step([(rainy[name], clean[name]) for name in rainy])
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
