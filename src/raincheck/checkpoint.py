"""The state of a run between two experiences: written whole or not at all, read without running code."""

import fcntl
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from raincheck.errors import ConfigError, OutputError, RaincheckError
from raincheck.files import replace_file

PACKAGES = ("raincheck", "torch", "lightning", "avalanche-lib", "kornia", "numpy")


def versions() -> dict[str, str]:
    """Versions of the packages that decide a run's bits."""
    return {package: version(package) for package in PACKAGES}


def save(path: Path, state: dict[str, Any]) -> None:
    """Writes a checkpoint of tensors and primitives whole or not at all, with the versions of what wrote it.

    Raises:
        OutputError: if it cannot be written; an older checkpoint at `path` is intact then.
    """
    replace_file(path, lambda partial: torch.save({**state, "versions": versions()}, partial))


def load(path: Path) -> dict[str, Any] | None:
    """Reads a checkpoint, None if there is none. Code in it can't run: only tensors and primitives are read.

    Raises:
        ConfigError: if it is unreadable, or other package versions wrote it.
    """
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        wrote: dict[str, str] = state["versions"]
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, LookupError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"the checkpoint {path} cannot be read ({reason}); delete it to start over") from None
    differ = [f"{k} {wrote.get(k)} then, {v} now" for k, v in versions().items() if wrote.get(k) != v]
    if differ:
        raise ConfigError(f"{path.parent.parent} was begun with other packages ({'; '.join(differ)}); use a new --out")
    return state


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a second process out of a run's folder; the lock goes with the process, however it ends.

    After a mistake of the user's, a folder or lock that was not there before is gone again, unless the folder holds
    something by then.

    Raises:
        OutputError: if the folder cannot be made, or another process works in it.
    """
    path = folder / ".lock"
    new_folder, new_lock = not folder.exists(), not path.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}; choose a writable --out") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
