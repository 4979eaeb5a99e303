"""Files that are written whole or not at all."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from raincheck.errors import OutputError


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a file beside `path`, then puts it in `path`'s place.

    Raises:
        OutputError: if it cannot be written; what was at `path` before is intact then, and nothing else is left.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch.save reports a full disk as a RuntimeError
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise OutputError(f"cannot write {path}: {reason}; choose a writable place with free space") from None
    finally:
        with suppress(OSError):  # where no file could be made, there is none to remove
            partial.unlink()


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole or not at all.

    Raises:
        OutputError: if it cannot be written.
    """
    replace_file(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def remove_partial(folder: Path) -> None:
    """Removes what processes that were killed in `replace_file` left in a folder, which nobody else may write to."""
    for partial in folder.glob(".*.partial"):
        partial.unlink()
