"""Whether the data of a run are still those that it began with."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ENDS = 4096  # bytes read at each end of a file

Fingerprints = dict[str, str]


def fingerprints(things: Iterable[Any]) -> Fingerprints:
    """By path: what every file and folder looks like that the things' attributes name, however deep.

    A file is its size and its first and last bytes, a folder the names and sizes of what is in it.
    """
    return {str(path): _fingerprint(path) for path in sorted(set(_paths(things, set())))}


def changed(before: Fingerprints, now: Fingerprints) -> list[str]:
    """The paths that were added, removed or changed."""
    return sorted(path for path in before | now if before.get(path) != now.get(path))


def missing(things: Iterable[Any]) -> list[Path]:
    """The paths that the things' attributes name, however deep, and at which there is nothing."""
    return [path for path in sorted(set(_paths(things, set()))) if not path.exists()]


def _paths(thing: Any, seen: set[int]) -> Iterator[Path]:
    if isinstance(thing, Path):
        yield thing
    elif id(thing) not in seen:
        seen.add(id(thing))
        if isinstance(thing, dict):
            inside: Iterable[Any] = thing.values()
        elif isinstance(thing, list | tuple | set | frozenset):
            inside = thing
        else:
            inside = vars(thing).values() if hasattr(thing, "__dict__") else ()
        for part in inside:
            yield from _paths(part, seen)


def _fingerprint(path: Path) -> str:
    if path.is_dir():
        names = [f"{entry.name} {entry.stat().st_size}" for entry in sorted(path.iterdir()) if entry.is_file()]
        content = "\n".join(names).encode()
    elif path.is_file():
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(ENDS)
            file.seek(max(0, size - ENDS))
            content = f"{size} ".encode() + head + file.read(ENDS)
    else:
        return "missing"
    return hashlib.sha256(content).hexdigest()
