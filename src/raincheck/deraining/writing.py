"""Derained pictures into a file or a folder, with all that goes with them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from raincheck.deraining.showing import Progress, View, counted
from raincheck.errors import OutputError
from raincheck.video.ahead import ahead
from raincheck.video.stream import Picture, Stream
from raincheck.video.writing.companions import Companions
from raincheck.video.writing.encode import Writer, open_writer
from raincheck.video.writing.encoders import Encoding
from raincheck.video.writing.look import Look
from raincheck.video.writing.output import is_image, is_video


@dataclass(frozen=True)
class Target:
    """Where derained pictures go.

    Attributes:
        path: a video file, an image, or a folder of images.
        encoding: what is wanted of a video file.
        overwrite: allow the replacement of the frames in a folder.
    """

    path: Path
    encoding: Encoding
    overwrite: bool


def write(pictures: Iterator[Picture], stream: Stream, view: View, target: Target, progress: Progress | None) -> None:
    """Writes pictures with all that goes with them, while the next are computed.

    Raises:
        InputError: if the video cannot be read.
        OutputError: if the output cannot be written; nothing is left of it.
        ConfigError: if there is no encoder for what is wanted.
    """
    if is_image(target.path) and stream.length != 1:
        raise OutputError(f"cannot write {target.path}: an image holds one frame; name a video file or a folder")
    with ExitStack() as stack:
        ready = stack.enter_context(closing(ahead(pictures)))
        companions = None
        if stream.path is not None and stream.names is None and is_video(target.path):
            companions = stack.enter_context(closing(Companions(stream.path, view.part)))
        writer = stack.enter_context(writer_of(stream, view, target, companions))
        for picture in counted(ready, stream, view, progress):
            writer.write(picture.pixels, picture.time, picture.lasts)
            if companions is not None and picture.last:
                companions.outlast()


def writer_of(
    stream: Stream, view: View, target: Target, companions: Companions | None
) -> AbstractContextManager[Writer]:
    """What writes a part of a stream; arguments and errors as `open_writer`."""
    first, files = view.part.first(stream.fps), stream.files()
    return open_writer(
        target.path,
        Look(stream.fps, view.size(stream), stream.display, stream.colour, stream.aspect, stream.tick),
        encoding=target.encoding,
        names=stream.names and stream.names[first:],
        originals=files and files[first:],
        companions=companions,
        source=stream.path,
        overwrite=target.overwrite,
    )
