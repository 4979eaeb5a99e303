"""Writing images, with what image files hold besides 8 bits of RGB: orientation, colour profile, transparency."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from einops import rearrange
from PIL import Image
from torch import Tensor

from raincheck.video.images.still import open_image, orientation

HEADER = b"Exif\0\0"
WHOLE = {"orientation", "colour profile", "transparency"}
HOLDS = {
    ".png": WHOLE,
    ".webp": WHOLE,
    ".tif": WHOLE,
    ".tiff": WHOLE,
    ".jpg": WHOLE - {"transparency"},
    ".jpeg": WHOLE - {"transparency"},
}
# Lossless where the format can be; JPEG with the chroma of every pixel.
SAVE_ARGUMENTS: dict[str, dict[str, Any]] = {
    ".jpg": {"quality": 95, "subsampling": 0},
    ".jpeg": {"quality": 95, "subsampling": 0},
    ".png": {"compress_level": 3},
    ".webp": {"lossless": True, "exact": True},
}


class Besides(NamedTuple):
    """What an image file holds besides its pixels.

    Attributes:
        exif: its tags, one of which is the orientation, as they stand in the file; empty where there are none.
        turned: whether the orientation is another than that of its pixels.
        profile: the ICC profile of its colours; empty where there is none.
        alpha: uint8 `(h, w)`, 0 is transparent; None where all is opaque.
        deep: whether it has more than 8 bits a value.
        more: pictures behind the first, of an animation or of pages.
    """

    exif: bytes
    turned: bool
    profile: bytes
    alpha: npt.NDArray[np.uint8] | None
    deep: bool
    more: int = 0

    def lost(self, suffix: str) -> list[str]:
        """What a file of that suffix does not keep, in words."""
        there = {
            "orientation": self.turned,
            "colour profile": bool(self.profile) and b"sRGB" not in self.profile.replace(b"\0", b""),  # or in UTF-16
            "transparency": self.alpha is not None,
        }
        holds = HOLDS.get(suffix.lower(), set())
        if not self.fits:
            holds = holds - {"colour profile"}
        lost = [name for name, is_there in there.items() if is_there and name not in holds] + ["16 bits"] * self.deep
        return lost + [f"{self.more} picture{'s' * (self.more > 1)} behind the first"] * bool(self.more)

    @property
    def fits(self) -> bool:
        """Whether the profile describes RGB, which is what is written, and not grey or CMYK."""
        return self.profile[16:20] == b"RGB "

    def add(self, image: Image.Image, suffix: str) -> dict[str, Any]:
        """Adds to an RGB image what a file of that suffix holds; returns arguments for saving the rest.

        Args:
            image: as wide as the one that this is of, or several times, in a comparison.
            suffix: of the file.
        """
        holds = HOLDS.get(suffix.lower(), set())
        if self.alpha is not None and "transparency" in holds:
            image.putalpha(Image.fromarray(np.tile(self.alpha, (1, image.width // self.alpha.shape[1]))))
        arguments: dict[str, Any] = {}
        if self.exif and "orientation" in holds:
            arguments["exif"] = self.exif
        if self.fits and "colour profile" in holds:
            arguments["icc_profile"] = self.profile
        return arguments


PLAIN = Besides(b"", False, b"", None, False)


def write_image(frame: Tensor, path: Path, besides: Besides = PLAIN) -> None:
    """Writes a uint8 `(c, h, w)` RGB frame in the format of the suffix: lossless but for JPEG (quality 95, 4:4:4).

    Args:
        frame: the pixels.
        path: the file.
        besides: what else it is to hold, as far as its format can.

    Raises:
        OSError: if the file cannot be written.
    """
    image = Image.fromarray(rearrange(frame, "c h w -> h w c").contiguous().numpy())
    arguments = besides.add(image, path.suffix)
    image.save(path, **SAVE_ARGUMENTS.get(path.suffix.lower(), {}), **arguments)


def read_besides(path: Path) -> Besides:
    """Reads what an image file holds besides its pixels.

    Raises:
        InputError: as `open_image`.
    """
    with open_image(path) as image:
        deep, turned = is_deep(image), orientation(image) != 1  # before its pixels are read
        exif = image.info.get("exif", b"")  # not of a TIFF, which Pillow turns by itself
        if exif and not exif.startswith(HEADER):  # of which WebP has none
            exif = HEADER + exif
        more = getattr(image, "n_frames", 1) - 1
        profile = image.info.get("icc_profile") or b""
        alpha = np.array(image.convert("RGBA").getchannel("A")) if image.has_transparency_data else None
        alpha = None if alpha is None or (alpha == 255).all() else alpha
        return Besides(exif, turned, profile, alpha, deep, more)


def is_deep(image: Image.Image) -> bool:
    """Whether a file whose header was read has more than 8 bits a value; Pillow reads 8 of those of colours."""
    raw = repr(getattr(image, "tile", ""))
    white = re.search(r"ppm.*'RGB', (\d+)", raw)  # the largest value of a PPM
    return image.mode.startswith("I") or ";16" in raw or (white is not None and int(white[1]) > 255)
