"""Pixel ranges: uint8 on disk and in memory, uint16 where video has more than 8 bits, float32 in [0, 1] in networks."""

import torch
from torch import Tensor

PEAKS = {torch.uint8: 255, torch.uint16: 65535}  # white


def to_float(pixels: Tensor) -> Tensor:
    """uint8 or uint16 to float32 in [0, 1], any shape."""
    return pixels.to(torch.float32).div_(PEAKS[pixels.dtype])


def to_uint8(pixels: Tensor) -> Tensor:
    """Float in [0, 1] to uint8, rounded to nearest and clamped, any shape; uint8 passes through."""
    return pixels if pixels.dtype == torch.uint8 else to_whole(pixels, torch.uint8)


def to_whole(pixels: Tensor, dtype: torch.dtype) -> Tensor:
    """Float in [0, 1] to uint8 or uint16, rounded to nearest and clamped, any shape."""
    return pixels.clamp(0, 1).mul_(PEAKS[dtype]).round_().to(dtype)
