"""The luma of RGB frames, as published deraining scores define it."""

import torch
from torch import Tensor

# MATLAB's rgb2ycbcr, ITU-R BT.601: Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255, in thousandths so that the sum
# and its rounding are exact integers, the same on every device.
RED, GREEN, BLUE, SCALE = 65_481, 128_553, 24_966, 255_000


def luma(frames: Tensor) -> Tensor:
    """BT.601 limited-range luma, as MATLAB's `rgb2ycbcr` of a uint8 image.

    Args:
        frames: RGB `(..., 3, h, w)`, uint8.

    Returns:
        Y in [16, 235], rounded to 8 bits (halves up), uint8 `(..., h, w)`.
    """
    red, green, blue = frames.to(torch.int32).unbind(-3)
    weighted = RED * red + GREEN * green + BLUE * blue
    return (16 + (weighted + SCALE // 2).div(SCALE, rounding_mode="floor")).to(torch.uint8)
