"""Pixel ranges: uint8 on disk and in memory, float32 in [0, 1] in networks."""

import torch
from torch import Tensor


def to_float(pixels: Tensor) -> Tensor:
    """uint8 in [0, 255] to float32 in [0, 1], any shape."""
    return pixels.to(torch.float32) / 255


def to_uint8(pixels: Tensor) -> Tensor:
    """Float in [0, 1] to uint8, rounded to nearest and clamped, any shape; uint8 passes through."""
    if pixels.dtype == torch.uint8:
        return pixels
    return (pixels.clamp(0, 1) * 255).round().to(torch.uint8)
