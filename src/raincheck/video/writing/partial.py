"""Outputs while they are written: hidden, locked, and gone whatever happens, also when a process was killed."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from raincheck.files import beside, lock
from raincheck.video.images.listing import SUFFIXES as IMAGE_SUFFIXES


def partial_of(target: Path) -> Path:
    """Where an output is written until it is whole.

    Beside it; within it if it is a folder that exists already. That one may be a mount point, somebody's working
    directory, or in a folder that is not writable, and so stays what it is. An image keeps its suffix, which Pillow
    goes by.
    """
    suffix = target.suffix if target.suffix.lower() in IMAGE_SUFFIXES else ""
    partial = beside(target, f".partial{suffix}")
    return target / partial.name if target.is_dir() else partial


def claim(partial: Path, folder: bool) -> int:
    """Makes an empty file or folder, or takes over what a killed process left of it.

    Returns:
        A file descriptor that holds a lock: it tells what is left from what is being written, because it goes with the
        process, however that ends.

    Raises:
        BlockingIOError: if another process is writing it.
        OSError: if it cannot be made.
    """
    while True:
        if folder:
            partial.mkdir(exist_ok=True)
        descriptor = os.open(partial, os.O_RDONLY if folder else os.O_RDWR | os.O_CREAT, 0o666)
        try:
            lock(descriptor)
            if is_at(descriptor, partial):
                if folder:
                    for path in partial.iterdir():
                        remove(path)
                return descriptor
        except BaseException:  # Ctrl-C included
            os.close(descriptor)
            raise
        os.close(descriptor)  # its owner was done with it in between


def abandon(partial: Path, folder: bool) -> None:
    """Removes what a claim has made that was interrupted, unless another process is writing it."""
    with suppress(OSError):
        release(partial, claim(partial, folder))


def release(partial: Path, descriptor: int) -> None:
    """Removes what was claimed, unless it is in its place by now, and gives up the lock."""
    if is_at(descriptor, partial):
        remove(partial)
    os.close(descriptor)


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file or folder is still the one at a path."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def remove(path: Path) -> None:
    """Removes a file, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def put_in_place(partial: Path, target: Path) -> None:
    """Renames what is whole; of a folder that stays what it is, the content.

    Raises:
        OSError: if it cannot be renamed; what was there is there again.
    """
    if partial.parent != target:
        partial.replace(target)
        return
    new, old = list(partial.iterdir()), [path for path in target.iterdir() if path != partial]
    replaced = partial / ".replaced"
    replaced.mkdir()
    moves = [(path, replaced / path.name) for path in old] + [(path, target / path.name) for path in new]
    done: list[tuple[Path, Path]] = []
    try:
        for path, place in moves:
            path.rename(place)
            done.append((path, place))
    except (OSError, KeyboardInterrupt):
        for path, place in reversed(done):
            place.rename(path)
        raise
