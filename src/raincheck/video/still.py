"""Folders of still frames, read by Pillow (FFmpeg's JPEG decoder moves PSNR by 0.02 dB)."""

import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from raincheck.errors import InputError
from raincheck.video.part import Part
from raincheck.video.stream import FOLDER_RATE, Picture, Stream, timed

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pnm"}
# What Pillow's readers raise for broken files of the formats above.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


def natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Sorts `2.png` before `10.png`, and otherwise by name."""
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in parts], path.name


def frame_files(folder: Path) -> list[Path]:
    """The images of a folder in natural order; Thumbs.db, dotfiles, subfolders and other files are ignored.

    Raises:
        InputError: if the folder cannot be read or holds no image.
    """
    inside = entries(folder)
    files = pictures(inside)
    if not files:
        what = f"none of its {len(inside)} entries is an image" if inside else "it is empty"
        raise InputError(f"{folder} holds no frames: {what}; give a folder of {', '.join(sorted(SUFFIXES))} files")
    return files


def entries(folder: Path) -> list[Path]:
    """Everything in a folder, in no order.

    Raises:
        InputError: if the folder cannot be read.
    """
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); check its permissions") from None


def hidden(path: Path) -> bool:
    """Whether its name hides it, or it is the folder that macOS adds to zips, in which each name is there again."""
    return path.name.startswith(".") or path.name == "__MACOSX"


def numbers(names: Sequence[str]) -> list[int | None]:
    """The frames' numbers by the names of a folder's frames, None for a frame that has none.

    Of the numbers in a name it is the one that differs most from frame to frame, as 7 in `00007_rain_x2`; of several
    the last. Where the names hold more and fewer numbers, it is the last of each.
    """
    found = [[int(digits) for digits in re.findall(r"\d+", name)] for name in names]
    kinds = [len(set(column)) for column in zip(*found, strict=False)]
    alike = len({len(own) for own in found}) == 1
    at = max(range(len(kinds)), key=lambda i: (kinds[i], i)) if alike and kinds else -1
    return [own[at] if own else None for own in found]


def pictures(paths: list[Path]) -> list[Path]:
    """Those of a folder's entries that are images, by their suffix, in natural order."""
    files = [p for p in paths if p.suffix.lower() in SUFFIXES and not hidden(p) and p.is_file()]
    return sorted(files, key=natural)


def open_image(path: Path) -> Image.Image:
    """Reads an image's header only.

    Raises:
        InputError: if it is no image, or so large that decoding it would exhaust the memory.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(path)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        limit = (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise InputError(f"{path} has more than {limit} million pixels; give smaller frames") from None
    except UnidentifiedImageError:
        raise InputError(f"{path} is not an image; remove it or save it again") from None
    except BROKEN as error:
        raise InputError(f"{path} cannot be read ({error}); remove it or save it again") from None


def image_size(path: Path) -> tuple[int, int]:
    """Height and width in pixels, from the header.

    Raises:
        InputError: as `open_image`.
    """
    with open_image(path) as image:
        return image.height, image.width


def read_image(path: Path) -> Tensor:
    """Reads an image as uint8 `(3, h, w)` RGB; grey and palettes are converted, transparency is dropped.

    16-bit grey is scaled to 8 bits. An orientation tag is not applied: frames are taken as stored.

    Raises:
        InputError: as `open_image`, or if the image is broken or holds floating-point pixels.
    """
    with open_image(path) as image:
        if image.mode == "F":
            raise InputError(f"{path} holds floating-point pixels of unknown range; save it with 8 or 16 bits")
        try:
            if image.mode == "I" or image.mode.startswith("I;"):
                grey = (np.asarray(image).astype(np.float64) / 257).round().clip(0, 255).astype(np.uint8)
                pixels = np.stack([grey] * 3, axis=-1)
            else:
                pixels = np.array(image.convert("RGB"))
        except BROKEN as error:
            raise InputError(f"{path} is a broken image ({error}); save it again or leave it out") from None
    return rearrange(torch.from_numpy(pixels), "h w c -> c h w").contiguous()


def common_size(files: list[Path]) -> tuple[int, int]:
    """Height and width that all images share, from their headers.

    Raises:
        InputError: naming the first file whose size differs and both sizes, or as `open_image`.
    """
    size = image_size(files[0])
    for path in files[1:]:
        other = image_size(path)
        if other != size:
            raise InputError(
                f"{path} is {other[1]}x{other[0]} but {files[0].name} is {size[1]}x{size[0]}; give frames of one size"
            )
    return size


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
