"""Writing video: one file, or a folder of frames; whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from torch import Tensor

from raincheck.video.output import CONTAINERS, check_output, is_video
from raincheck.video.writers import FileWriter, FolderWriter, cannot


class Writer(Protocol):
    """Takes frames in order."""

    def write(self, frame: Tensor) -> None:
        """Adds a frame, uint8 `(c, h, w)` RGB.

        Raises:
            OutputError: if it cannot be written, for instance because the disk is full.
        """
        ...


@contextmanager
def open_writer(
    output: str | Path,
    *,
    fps: Fraction,
    size: tuple[int, int],
    rotation: int = 0,
    names: list[str] | None = None,
    source: Path | None = None,
    overwrite: bool = False,
) -> Iterator[Writer]:
    """Opens a video file or a folder of frames for writing; what the `with` block leaves unfinished is removed.

    Args:
        output: a video file if it ends in .mp4, .m4v, .mov, .mkv, .webm or .avi, else a folder.
        fps: frames per second.
        size: height and width of the frames in pixels.
        rotation: counter-clockwise degrees for the display matrix; .mp4, .mov, .mkv and .webm can hold it.
        names: file names of a folder's frames; None numbers them `00001.png`, `00002.png`, ...
        source: the input, which is never overwritten.
        overwrite: allow the replacement of a folder of frames. An existing video file is always replaced.

    Raises:
        OutputError: if the output must not or cannot be written.
    """
    target = check_output(output, source, overwrite)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    shown = Path(output)
    try:
        if is_video(target):
            file = FileWriter(partial, CONTAINERS[target.suffix.lower()], fps, size, rotation, shown)
            try:
                yield file
                file.finish()
            finally:
                file.abandon()
        else:
            make_folder(partial, shown)
            yield FolderWriter(partial, names, shown)
        put_in_place(partial, target, shown)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


def make_folder(folder: Path, shown: Path) -> None:
    """Creates an empty folder.

    Raises:
        OutputError: if it cannot be created.
    """
    try:
        folder.mkdir()
    except OSError as error:
        raise cannot(shown, error) from None


def put_in_place(partial: Path, target: Path, shown: Path) -> None:
    """Renames what is finished; a folder that is in its place goes once nothing can fail any more.

    Raises:
        OutputError: if it cannot be renamed.
    """
    replaced = target.with_name(f".{target.name}.{os.getpid()}.replaced")
    try:
        if target.is_dir():
            target.rename(replaced)
        partial.replace(target)
    except OSError as error:
        if replaced.exists():
            replaced.rename(target)
        raise cannot(shown, error) from None
    if replaced.exists():
        shutil.rmtree(replaced, ignore_errors=True)
