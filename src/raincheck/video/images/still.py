"""Single images, read by Pillow (FFmpeg's JPEG decoder moves PSNR by 0.02 dB)."""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from raincheck.errors import InputError

# What Pillow's readers raise for broken files of the formats that are read.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)
LYING = range(5, 9)  # EXIF orientations that swap height and width


def open_image(path: Path) -> Image.Image:
    """Reads an image's header only.

    Raises:
        InputError: if it is no image, or so large that decoding it would exhaust the memory.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", "Corrupt EXIF data")  # tags are not what is wanted
            return Image.open(path)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        limit = (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise InputError(f"{path} has more than {limit} million pixels; give smaller frames") from None
    except UnidentifiedImageError:
        raise InputError(f"{path} is not an image; remove it or save it again") from None
    except BROKEN as error:
        raise InputError(f"{path} cannot be read ({error}); remove it or save it again") from None


def orientation(image: Image.Image) -> int:
    """The EXIF orientation of an image whose header was read; 1, as stored, where there is none that can be read.

    A TIFF's is left out, which Pillow turns by itself.
    """
    if "exif" not in image.info:
        return 1
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Corrupt EXIF data")
        try:
            found = image.getexif().get(ExifTags.Base.Orientation)
        except BROKEN:
            return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def image_size(path: Path, turned: bool = False) -> tuple[int, int]:
    """Height and width in pixels, from the header: as stored, or `turned` as `read_image`.

    Raises:
        InputError: as `open_image`.
    """
    with open_image(path) as image:
        size = image.height, image.width
        return size[::-1] if turned and orientation(image) in LYING else size


def read_image(path: Path, turned: bool = False) -> Tensor:
    """Reads an image as uint8 `(3, h, w)` RGB; grey and palettes are converted, transparency is dropped.

    16-bit grey is scaled to 8 bits.

    Args:
        path: the file.
        turned: turn it as its orientation tag says and viewers show it; otherwise it is taken as stored.

    Raises:
        InputError: as `open_image`, or if the image is broken or holds numbers of unknown range.
    """
    with open_image(path) as image:
        if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):  # of other formats I is 16 bits
            kind = "floating-point" if image.mode == "F" else "signed or 32-bit"
            raise InputError(f"{path} holds {kind} pixels of unknown range; save it with 8 or 16 bits")
        try:
            shown = ImageOps.exif_transpose(image) if turned and orientation(image) != 1 else image
            if image.mode == "I" or image.mode.startswith("I;"):
                grey = (np.asarray(shown).astype(np.float64) / 257).round().clip(0, 255).astype(np.uint8)
                pixels = np.stack([grey] * 3, axis=-1)
            else:
                pixels = np.array(shown.convert("RGB"))
        except BROKEN as error:
            raise InputError(f"{path} is a broken image ({error}); save it again or leave it out") from None
    return rearrange(torch.from_numpy(pixels), "h w c -> c h w").contiguous()


def common_size(files: list[Path], turned: bool = False) -> tuple[int, int]:
    """Height and width that all images share, from their headers: as stored, or `turned` as `read_image`.

    Raises:
        InputError: naming the first file whose size differs and both sizes, or as `open_image`.
    """
    size = image_size(files[0], turned)
    for path in files[1:]:
        other = image_size(path, turned)
        if other != size:
            raise InputError(
                f"{path} is {other[1]}x{other[0]} but {files[0].name} is {size[1]}x{size[0]}; give frames of one size"
            )
    return size
