"""Peak signal-to-noise ratio of single frames.

Identical frames have no noise and an infinite ratio, which would swallow every mean and which JSON cannot hold. So
values are capped at `CEILING`, which no frame reaches in which one pixel in 150,000 is off by one grey level.
"""

import torch
from torch import Tensor

from raincheck.metrics.base import Metric, quantised
from raincheck.metrics.luma import luma

CEILING = 100.0  # dB


def ratio(squared_error: Tensor) -> Tensor:
    """`10 log10(255^2 / mse)` in dB, at most `CEILING`, of mean squared errors in 8-bit grey levels, any shape."""
    return (10 * torch.log10(255**2 / squared_error)).clamp(max=CEILING)


def psnr_y(derained: Tensor, clean: Tensor) -> Tensor:
    """PSNR of the luma, in dB, up to 100; the peak is 255, as is usual, although luma ends at 235.

    Args:
        derained: frames `(..., 3, h, w)`, RGB, float in [0, 1] or uint8.
        clean: their clean twins, of the same shape.

    Returns:
        One float64 value a frame, `(...)`.

    Raises:
        InputError: if the frames differ in shape or are not RGB.
    """
    first, second = (luma(frame).double() for frame in quantised(derained, clean))
    return ratio((first - second).square().mean(dim=(-2, -1)))


def psnr_rgb(derained: Tensor, clean: Tensor) -> Tensor:
    """PSNR of the mean squared error over all three channels, in dB, up to 100.

    Args and errors as `psnr_y`.
    """
    first, second = (frame.double() for frame in quantised(derained, clean))
    return ratio((first - second).square().mean(dim=(-3, -2, -1)))


METRICS = (Metric("psnr_y", psnr_y, unit="dB"), Metric("psnr_rgb", psnr_rgb, unit="dB"))
