"""Writing video: one file, or a folder of frames; whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from torch import Tensor

from raincheck.errors import OutputError
from raincheck.video.writing.companions import Companions
from raincheck.video.writing.encoders import Encoding
from raincheck.video.writing.file_writer import FileWriter
from raincheck.video.writing.folder_writer import FolderWriter
from raincheck.video.writing.look import Look
from raincheck.video.writing.output import CONTAINERS, cannot, check_output, is_image, is_video
from raincheck.video.writing.partial import abandon, claim, partial_of, put_in_place, release

USUAL = Encoding()


class Writer(Protocol):
    """Takes frames in order."""

    def write(self, frame: Tensor, time: Fraction | None = None, lasts: Fraction | None = None) -> None:
        """Adds a frame, uint8 `(c, h, w)` RGB, shown at `time` for `lasts` seconds; None is as the rate says.

        Raises:
            OutputError: if it cannot be written, for instance because the disk is full.
        """
        ...


@contextmanager
def open_writer(
    output: str | Path,
    look: Look,
    *,
    encoding: Encoding = USUAL,
    names: list[str] | None = None,
    originals: list[Path] | None = None,
    companions: Companions | None = None,
    source: Path | None = None,
    overwrite: bool = False,
) -> Iterator[Writer]:
    """Opens a video file or a folder of frames for writing; what the `with` block leaves unfinished is removed.

    Args:
        output: a video file if it ends in .mp4, .m4v, .mov, .mkv, .webm or .avi, an image by its
            suffix, else a folder.
        look: what a video file says about its frames; .avi cannot hold a rotation.
        encoding: what the user wants of a video file.
        companions: sound and other tracks to copy into a video file.
        names: file names of a folder's frames; None numbers them `00001.png`, `00002.png`, ...
        originals: the images of which a folder's frames were made, or the one of an image.
        source: the input, which is never overwritten.
        overwrite: allow the replacement of a folder of frames. An existing video file is always replaced.

    Raises:
        OutputError: if the output must not or cannot be written.
        ConfigError: if there is no encoder for what is wanted.
    """
    target = check_output(output, source, overwrite)
    partial, shown = partial_of(target), Path(output)
    with claimed(partial, not (is_video(target) or is_image(target)), shown):
        if is_video(target):
            file = FileWriter(partial, CONTAINERS[target.suffix.lower()], look, encoding, companions, shown)
            try:
                yield file
                file.finish()
            finally:
                file.abandon()
        elif is_image(target):
            yield FolderWriter(partial.parent, [partial.name], shown, originals)
        else:
            yield FolderWriter(partial, names, shown, originals)
        try:
            put_in_place(partial, target)
        except OSError as error:
            raise cannot(shown, error) from None


@contextmanager
def claimed(partial: Path, folder: bool, shown: Path) -> Iterator[None]:
    """Makes an empty file or folder to be written, which is gone afterwards, unless it was renamed.

    Args:
        partial: what to make.
        folder: what it is.
        shown: what errors call the output.

    Raises:
        OutputError: if it cannot be made, or another process is writing it.
    """
    try:
        descriptor = claim(partial, folder)
    except BlockingIOError:
        raise OutputError(
            f"cannot write {shown}: another process is writing it; wait for it, or choose another"
        ) from None
    except OSError as error:
        raise cannot(shown, error) from None
    except KeyboardInterrupt:
        abandon(partial, folder)
        raise
    try:
        yield
    finally:
        release(partial, descriptor)
