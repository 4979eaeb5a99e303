"""Files that are written whole or not at all, and folders that one process works in at a time."""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from raincheck.errors import OutputError, RaincheckError, remedy

LOCK = ".lock"  # in a folder that one process works in
LONGEST = 255  # bytes of a file name, on nearly all systems


def beside(path: Path, ending: str) -> Path:
    """A hidden file beside another: by its name and an ending, or by the name's hash where that would be too long."""
    name = f".{path.name}{ending}"
    if len(os.fsencode(name)) > LONGEST:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()}{ending}"
    return path.with_name(name)


def check_name(path: Path, error: type[RaincheckError]) -> None:
    """Refuses a path of which the system can't even say whether anything is there.

    Raises:
        RaincheckError: of that type, if its name is too long, or a folder on its way may not be entered.
    """
    try:
        path.exists()
    except OSError as problem:
        what = f"{path} cannot be used ({problem.strerror})"
        raise error(f"{what}; {remedy(problem, 'check its path')}") from None


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a file beside `path`, then puts it in `path`'s place.

    Raises:
        OutputError: if it cannot be written; what was at `path` before is intact then, and nothing else is left.
    """
    partial = beside(path, f".{os.getpid()}.partial")
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch.save reports a full disk as a RuntimeError
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        advice = remedy(error, "choose a writable place with free space")
        raise OutputError(f"cannot write {path}: {reason}; {advice}") from None
    finally:
        with suppress(OSError):  # where no file could be made, there is none to remove
            partial.unlink()


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole or not at all.

    Raises:
        OutputError: if it cannot be written.
    """
    replace_file(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def refuse_others(folder: Path, what: str) -> None:
    """Refuses a folder that is to hold something, and holds something else.

    Args:
        folder: where `what` was looked for, and not found.
        what: a run, say.

    Raises:
        OutputError: if anything visible is in it.
    """
    if any(not entry.name.startswith(".") for entry in folder.iterdir()):
        raise OutputError(f"{folder} is not empty and holds no {what}; choose another --out")


def write_result(path: Path, text: str) -> None:
    """Writes a text file that the user named, whole or not at all; makes its folder where there is none yet.

    Raises:
        OutputError: if it cannot be written.
    """
    with folder_for(path):
        write_text(path, text)


@contextmanager
def folder_for(path: Path) -> Iterator[None]:
    """Makes the folder that a file or folder is to be in; what it made is removed again if nothing was put there.

    Raises:
        OutputError: if it cannot be made.
    """
    new = [folder for folder in path.parents if not folder.exists()]
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            advice = remedy(error, "choose a writable file name")
            raise OutputError(f"cannot write {path} ({error.strerror}); {advice}") from None
        yield
    finally:
        for folder in new:
            with suppress(OSError):  # not empty
                folder.rmdir()


def remove_partial(folder: Path) -> None:
    """Removes what processes that were killed in `replace_file` left in a folder, which nobody else may write to."""
    for partial in folder.glob(".*.partial"):
        partial.unlink()


def lock(descriptor: int, wait: bool = False) -> None:
    """Locks an open file or folder where the file system has locks; those of some clusters have none.

    Raises:
        BlockingIOError: if another process has locked it, unless `wait`.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:
        pass


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a second process out of a folder, which is made; the lock goes with the process, however it ends.

    After a mistake of the user's, a folder or lock that was not there before is gone again, unless the folder holds
    something by then.

    Raises:
        OutputError: if the folder cannot be made, or another process works in it.
    """
    path = folder / LOCK
    try:
        new_folder, new_lock = not folder.exists(), not path.exists()
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        advice = remedy(error, "choose a writable --out")
        raise OutputError(f"cannot write to {folder}: {error.strerror}; {advice}") from None
    with file:
        try:
            lock(file.fileno())
        except BlockingIOError:
            raise OutputError(f"another process is running in {folder}; wait for it or choose another --out") from None
        try:
            yield
        except RaincheckError:
            if new_lock:
                path.unlink()
            if new_folder and not any(folder.iterdir()):
                folder.rmdir()
            raise


def is_free(folder: Path, patience: float) -> bool:
    """Waits until no process has `locked` a folder; False if one still has after `patience` seconds."""
    path, until = folder / LOCK, time.monotonic() + patience
    while path.exists():
        with path.open("a") as file:
            try:
                lock(file.fileno())
            except BlockingIOError:
                if time.monotonic() > until:
                    return False
            else:
                return True
        time.sleep(0.2)
    return True
