"""Where the videos of a published data set lie, which belong together, and how many there should be: paths only."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os.path import commonpath
from pathlib import Path

from raincheck.datasets.folder import VIDEO_SUFFIXES
from raincheck.datasets.search import fitting, is_folder, listing, lying, matching
from raincheck.video.images.listing import entries, natural, numbers, pictures

ANY = "([^.].*)"  # a component of a path: every name but a hidden one's
DEPTH = 2  # folders between the one that is named and the data set's own


@dataclass(frozen=True)
class Source:
    """A video file, or those images of a folder whose names begin alike.

    Attributes:
        path: the file or folder.
        prefix: what the names of its frames begin with.
    """

    path: Path
    prefix: str = ""

    def frames(self) -> list[Path]:
        """Its images in natural order; none if there is no such folder.

        Raises:
            InputError: if the folder cannot be read.
        """
        inside = entries(self.path) if self.path.is_dir() else []
        return pictures(fitting(inside, f"{re.escape(self.prefix)}(?s:.*)"))

    def numbers(self, frames: Sequence[Path]) -> list[int | None]:
        """The numbers of its frames, None for one without."""
        return numbers([frame.stem[len(self.prefix) :] for frame in frames])


@dataclass(frozen=True)
class Pair:
    """A rainy video and where its clean twin should be, None where there never was one."""

    name: str
    rainy: Source
    clean: Source | None


@dataclass(frozen=True)
class Split:
    """A part of a data set, as it was published.

    Attributes:
        name: `train`, `test`, or `real` for rain without clean twins, which is neither learned nor scored.
        rainy: paths of the rainy videos below the data set's folder; each component is a regular expression.
        clean: paths of the clean twins, with the groups of `rainy`; the first that holds something counts.
        prefixes: what the names of rainy and of clean frames begin with, where both lie in one folder.
        clips: how many videos were published, None if that is not known.
        frames: how many frames each has, None if that differs or is not known.
        names: the published videos, and the frames of each where `frames` does not say it.
        first: number of the first frame, None if it is not known.
        size: height and width in pixels, None if it differs or is not known.
        empty: folders without frames that the published copy holds, and that are left out.
        slack: pixels by which frames may be larger than the others; all are cut to the smallest.
        among: which of the videos that fit, in natural order, belong to this split.
        remark: what a reader of scores must know, None for nothing.
    """

    name: str
    rainy: str
    clean: Sequence[str] = ()
    prefixes: tuple[str, str] = ("", "")
    clips: int | None = None
    frames: int | None = None
    names: Mapping[str, int | None] = field(default_factory=dict)
    first: int | None = None
    size: tuple[int, int] | None = None
    empty: int = 0
    slack: int = 0
    among: slice = field(default_factory=lambda: slice(None))
    remark: str | None = None

    @property
    def published(self) -> int | None:
        """How many videos were published."""
        return len(self.names) or self.clips

    @property
    def shown(self) -> str:
        """The path of a rainy video, for a message."""
        return re.sub(r"\([^)]*\)", "<video>", self.rainy).replace(r"\d+", "<n>")

    def length(self, name: str) -> int | None:
        """How many frames the video `name` was published with, None if that is not known."""
        return self.names.get(name) or self.frames

    def exists(self, base: Path) -> bool:
        """Whether any video of this split, or of one that lies in the same folders, is below `base`."""
        return next(matching(base, self.rainy), None) is not None

    def find(self, base: Path) -> list[Pair]:
        """The videos below `base`, in natural order of their paths."""
        found: dict[str, Path] = {}
        for path, published in matching(base, self.rainy):
            found.setdefault(published, path)  # of a folder in one of the same name, the outer
        count = Counter(published.casefold() for published in found)
        some = list(found.items())[self.among]
        return [self.pair(base, *one, alone=count[one[0].casefold()] == 1) for one in some]

    def published_empty(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Those that were published without frames: of folders that have none, first those whose twin has none either.

        Raises:
            InputError: if a folder cannot be read.
        """
        hollow = [pair for pair in pairs if self.empty and pair.rainy.path.is_dir() and not pair.rainy.frames()]
        return sorted(hollow, key=lambda pair: pair.clean is not None and bool(pair.clean.frames()))[: self.empty]

    def pair(self, base: Path, published: str, path: Path, alone: bool) -> Pair:
        """A rainy video with its clean twin, or with the place where that is missing.

        Args:
            base: the data set's folder.
            published: path of the video as it was published, below `base`.
            path: where it is.
            alone: whether no other video's path differs by case only; else their twins are told apart by case too.
        """
        match = re.fullmatch(self.rainy, published, re.IGNORECASE)
        twins = [Path(match.expand(template)) for template in self.clean] if match is not None else []
        if path.is_file():
            twins += [twin.with_suffix(suffix) for twin in twins for suffix in sorted(VIDEO_SUFFIXES)]
        there = [
            Source(at, self.prefixes[1])
            for twin in twins
            for at in sorted(lying(base, twin), key=lambda at: -len(commonpath([at, path])))
            if alone or at.name == twin.name
        ] or [Source(base / twin, self.prefixes[1]) for twin in twins[:1]]
        clean = next((source for source in there if source.path.is_file() or source.frames()), next(iter(there), None))
        name = path.stem if path.is_file() else path.name
        known = [own for own in self.names if alone and own.casefold() == name.casefold()]
        return Pair(known[0] if known else name, Source(path, self.prefixes[0]), clean)


Forms = Mapping[str, Sequence[Split]]  # a data set's splits, by the name of the form in which it circulates


def places(root: Path, splits: Sequence[Split], depth: int = DEPTH) -> list[Path]:
    """The folders in which any of the splits lies: `root`, or those at most `depth` folders below it.

    Raises:
        InputError: if `root`, or what one of the splits lies in, cannot be read; others that cannot are passed over.
    """
    if any(split.exists(root) for split in splits):
        return [root]
    folders = [path for path in listing(root) if is_folder(path)] if depth else []
    below = sorted((path for path in folders if os.access(path, os.R_OK | os.X_OK)), key=natural)
    return [place for path in below for place in places(path, splits, depth - 1)]
