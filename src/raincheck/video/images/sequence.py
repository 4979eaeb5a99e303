"""Images in order, read as a stream."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from raincheck.video.images.listing import frame_files
from raincheck.video.images.still import common_size, read_image
from raincheck.video.part import Part
from raincheck.video.stream import FOLDER_RATE, Picture, Stream, timed


def open_folder(folder: Path, fps: Fraction = FOLDER_RATE) -> Stream:
    """Opens a folder of images and checks the headers of all, so that a bad one stops the work before it begins.

    Raises:
        InputError: if there is no image, one is unreadable, or sizes differ.
    """
    return images_stream(folder, frame_files(folder), fps)


def images_stream(path: Path, files: list[Path], fps: Fraction) -> Stream:
    """A stream of image files.

    Raises:
        InputError: if one is unreadable, or sizes differ.
    """
    return Stream(
        path=path,
        size=common_size(files),
        fps=fps,
        length=len(files),
        names=[p.name for p in files],
        source=lambda part, around, _: read_images(files, fps, part, around),
        counter=lambda: len(files),
    )


def read_images(files: list[Path], fps: Fraction, part: Part, around: int) -> Iterator[Picture]:
    """Yields the pictures of the files of a part, and of `around` more before and behind it; reads no others.

    Raises:
        InputError: as `read_image`.
    """
    return (Picture(read_image(path), time, own) for path, time, own in part.select(timed(files, fps), around))
