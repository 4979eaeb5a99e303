"""Pictures of real streaks: read, measured, and made to fit into themselves, so that they can fall (sheets.py)."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from raincheck.errors import InputError
from raincheck.rain.render import Shares
from raincheck.video.images.still import read_image

FADE = 1 / 8  # of a picture's height and width, in which it fades into the next
LEAST = 0.1  # share of a pixel's light from which on it belongs to a streak, for measuring


@dataclass(frozen=True)
class Sheet:
    """A picture of streaks, ready to fall.

    Attributes:
        picture: brightness of each pixel, float32 `(h, w)` in [0, 1); its sides fit together.
        length: of its streaks, downwards, pixels.
        slope: of its streaks: pixels to the right a pixel downwards.
    """

    picture: Shares
    length: float
    slope: float


@cache
def load_sheet(path: Path, scale: float) -> Sheet:
    """Reads a picture of bright streaks on black, in `scale` of its size.

    Raises:
        InputError: if it cannot be read, or shows no streaks.
    """
    grey = read_image(path).numpy().max(axis=0)
    bright = grey > 255 * LEAST
    if not bright.any():
        raise InputError(f"{path} shows no streaks; give pictures of bright streaks on black")
    rows, columns = (np.flatnonzero(bright.any(axis=axis)) for axis in (1, 0))
    inside = Image.fromarray(grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])  # without a black border
    size = max(8, round(inside.width * scale)), max(8, round(inside.height * scale))
    share = np.asarray(inside.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC))
    length, slope = measure(grey)
    return Sheet(joined((share / 256).astype(np.float32)), max(1.0, length * scale), slope)


def measure(grey: NDArray[np.uint8]) -> tuple[float, float]:
    """The streaks' usual length downwards, pixels, and their slope, pixels to the right a pixel downwards."""
    labels, _ = ndimage.label(grey > 255 * LEAST, np.ones((3, 3)))
    heights = np.array([rows.stop - rows.start for rows, _ in ndimage.find_objects(labels)])
    # Weighted by themselves: specks are many, and streaks are what is seen.
    order = np.sort(heights)
    length = order[np.searchsorted(np.cumsum(order), order.sum() / 2)]
    down, right = (ndimage.gaussian_filter(grey.astype(np.float64), 2, order) for order in ((1, 0), (0, 1)))
    # The direction in which brightness changes least (structure tensor) is that of the streaks.
    across = 0.5 * np.arctan2(2 * (down * right).mean(), (right**2).mean() - (down**2).mean())
    return float(length), float(np.clip(-np.tan(across), -3, 3))


def joined(picture: Shares) -> Shares:
    """Cuts a picture narrower, so that its right side fades into its left one."""
    width = max(1, int(picture.shape[1] * FADE))
    fade = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(width)
    whole = picture[:, : picture.shape[1] - width].copy()
    whole[:, :width] = whole[:, :width] * fade + picture[:, -width:] * (1 - fade)
    return whole


def lean(sheet: Sheet, slope: float) -> Sheet:
    """A sheet whose streaks have another slope: its rows are moved sideways."""
    high, wide = sheet.picture.shape
    shift = np.rint((slope - sheet.slope) * np.arange(high)).astype(np.int64)
    picture = sheet.picture[np.arange(high)[:, None], (np.arange(wide) - shift[:, None]) % wide]
    return replace(sheet, picture=picture, slope=slope)
