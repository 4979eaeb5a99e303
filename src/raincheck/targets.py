"""Where a file of results may be written: checks before any work is done, so that neither it nor an input is lost."""

import os
from collections.abc import Sequence
from pathlib import Path

from raincheck.errors import OutputError, remedy

# Results that are made again and again, and may lie beside what they are about.
AGAIN = {".json", ".html", ".csv", ".md", ".tex", ".onnx", ".pt2"}
# Files of these kinds that cannot be made again so easily: of runs, grids, sweeps, the demonstration and rendered sets.
OWN = {
    "report.json", "so_far.json", "failed.json", "data.json", "metrics.csv",
    "sweep.json", "trials.csv", "request.json", "manifest.json",
}  # fmt: skip


def check_target(path: Path, inputs: Sequence[Path]) -> None:
    """Refuses a file of results that cannot be written, or that would replace something else; writes nothing itself.

    Args:
        path: the file.
        inputs: files and folders that the results are about.

    Raises:
        OutputError: if it is a folder, cannot be made, is an input, or is a file of an input other than results.
    """
    try:
        if path.is_dir():
            raise OutputError(f"cannot write {path}: it is a folder; give the name of a file")
        check_place(path.parent, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; {remedy(error, 'choose another place')}") from None
    for given in inputs:
        if path.exists() and given.exists() and path.samefile(given):
            raise OutputError(f"cannot write {path}: it is an input; choose another name")
        if path.exists() and is_own(path) and given.resolve() in path.resolve().parents:
            raise OutputError(f"cannot write {path}: it is a file of the input {given}; choose another name")


def check_place(folder: Path, named: Path) -> None:
    """Refuses a folder, there already or not, that cannot be written to.

    Args:
        folder: where something is to be written.
        named: what errors call that.

    Raises:
        OutputError: naming the folder, or the nearest above it that is there.
    """
    folder = folder.absolute()
    nearest = next(above for above in (folder, *folder.parents) if above.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        raise OutputError(
            f"cannot write {named}: {nearest} is not a folder that can be written to; choose another place"
        )


def is_own(path: Path) -> bool:
    """Whether a file in an input's folder is a part of it, rather than results from before."""
    return path.name in OWN or path.suffix.lower() not in AGAIN
