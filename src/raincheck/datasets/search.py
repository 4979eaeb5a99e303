"""Finds paths by patterns as copies of data sets have them: in any case, and in folders that were unpacked doubly."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from raincheck.datasets.folder import VIDEO_SUFFIXES
from raincheck.errors import InputError
from raincheck.video.images.listing import entries, hidden, natural

LITERAL = re.compile(r"[\w ]+")


def matching(base: Path, pattern: str) -> Iterator[tuple[Path, str]]:
    """Folders and video files below `base` whose path fits, in natural order, and that path as it was published.

    Args:
        base: where to look.
        pattern: a path whose components are regular expressions without a slash of their own.

    Raises:
        InputError: if a folder cannot be read.
    """
    head, _, rest = pattern.partition("/")
    literal = LITERAL.fullmatch(head) is not None
    inside = doubled(named(base, head)) if literal else sorted(fitting(others(base), head), key=natural)
    for path in inside:
        name = head if literal else path.name
        if rest:
            yield from ((below, f"{name}/{own}") for below, own in matching(path, rest))
        elif is_folder(path) or path.suffix.lower() in VIDEO_SUFFIXES:
            yield path, name


def lying(base: Path, published: Path) -> list[Path]:
    """What is below `base` where something was published."""
    *folders, name = published.parts
    found = [base]
    for folder in folders:
        found = doubled([path for outer in found for path in named(outer, folder)])
    return [path for folder in found for path in named(folder, name)]


def named(folder: Path, name: str) -> list[Path]:
    """What has a name in a folder; in another case only where nothing has it exactly."""
    exact = folder / name
    return [exact] if is_folder(exact) or exact.is_file() else fitting(listing(folder), re.escape(name))


def fitting(paths: Sequence[Path], pattern: str) -> list[Path]:
    """Paths whose names fit, in any case; of names that differ by case only those that fit exactly, if any does."""
    fits = [path for path in paths if re.fullmatch(pattern, path.name, re.IGNORECASE)]
    exact = {path for path in fits if re.fullmatch(pattern, path.name)}
    taken = {path.name.casefold() for path in exact}
    return [path for path in fits if path in exact or path.name.casefold() not in taken]


def doubled(folders: Sequence[Path]) -> list[Path]:
    """Folders, and those in them of the same name, which an archive leaves that is unpacked into a folder of its own.

    No links, which may lead back.
    """
    inner = [folder / folder.name for folder in folders]
    return [*folders, *(folder for folder in inner if is_folder(folder) and not folder.is_symlink())]


def is_folder(path: Path) -> bool:
    """Whether it is a folder.

    Raises:
        InputError: if that may not be known, because the one that it lies in may not be entered.
    """
    try:
        return path.is_dir()
    except OSError as error:
        raise InputError(f"{path.parent} cannot be read ({error.strerror}); check its permissions") from None


def others(folder: Path) -> list[Path]:
    """The entries of a folder, but for one of its own name, which is no video but its double."""
    return [path for path in listing(folder) if path.name != folder.name]


def listing(folder: Path) -> list[Path]:
    """The entries of a folder, but for hidden ones; none of a folder that is not there.

    Raises:
        InputError: if it cannot be read: what lies in it is not to be called missing.
    """
    return [path for path in entries(folder) if not hidden(path)] if is_folder(folder) else []
