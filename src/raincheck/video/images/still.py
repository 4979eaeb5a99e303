"""Single images, read by Pillow (FFmpeg's JPEG decoder moves PSNR by 0.02 dB)."""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from raincheck.errors import InputError

# What Pillow's readers raise for broken files of the formats that are read.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


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
        InputError: as `open_image`, or if the image is broken or holds numbers of unknown range.
    """
    with open_image(path) as image:
        if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):  # of other formats I is 16 bits
            kind = "floating-point" if image.mode == "F" else "signed or 32-bit"
            raise InputError(f"{path} holds {kind} pixels of unknown range; save it with 8 or 16 bits")
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
