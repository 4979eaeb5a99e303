"""Structural similarity of single frames (Wang, Bovik, Sheikh and Simoncelli 2004, equation 13).

As scikit-image's `structural_similarity` with gaussian_weights=True, sigma=1.5, use_sample_covariance=False and
data_range=255: an 11-pixel Gaussian window, and the mean over the pixels whose window lies inside the frame.
"""

import math

import torch
from torch import Tensor

from raincheck.errors import InputError
from raincheck.metrics.base import Metric, quantised
from raincheck.metrics.luma import luma

RADIUS, SIGMA = 5, 1.5  # pixels; scikit-image truncates the Gaussian at 3.5 sigma
BAND = 2**16  # pixels that are compared at once
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def blur(planes: Tensor) -> Tensor:
    """Gaussian mean around each pixel at least `RADIUS` from the border: `(n, h, w)` to `(n, h - 10, w - 10)`.

    As a sum of shifted planes: torch's convolution of float64 takes several times as long on a CPU.
    """
    weights = [math.exp(-(offset**2) / (2 * SIGMA**2)) for offset in range(-RADIUS, RADIUS + 1)]
    for axis in (-1, -2):
        length = planes.shape[axis] - 2 * RADIUS
        mean = planes.narrow(axis, RADIUS, length) * (1 / sum(weights))
        for shift, weight in enumerate(weights):
            if shift != RADIUS:
                mean.add_(planes.narrow(axis, shift, length), alpha=weight / sum(weights))
        planes = mean
    return planes


def similarity(first: Tensor, second: Tensor) -> Tensor:
    """Mean SSIM of planes `(..., h, w)` in 8-bit grey levels, float64 `(...)`.

    Raises:
        InputError: if the planes are smaller than the window.
    """
    leading, (height, width) = first.shape[:-2], first.shape[-2:]
    if min(height, width) < 2 * RADIUS + 1:
        raise InputError(
            f"frames of {width}x{height} are smaller than the 11x11 window of SSIM; give frames of 11x11 pixels or more"
        )
    found = torch.empty(leading, dtype=torch.float64, device=first.device)
    pairs = zip(*(plane.reshape(-1, height, width) for plane in (first, second)), strict=True)
    for index, (a, b) in enumerate(pairs):
        sums = [_maps(part.double(), twin.double()).sum() for part, twin in zip(_bands(a), _bands(b), strict=True)]
        found.view(-1)[index] = torch.stack(sums).sum() / ((height - 2 * RADIUS) * (width - 2 * RADIUS))
    return found


def _bands(plane: Tensor) -> list[Tensor]:
    """Rows of a plane `(h, w)`, some at a time, with those that their windows reach: what fits the cache is faster."""
    height, width = plane.shape
    rows = max(2 * RADIUS, BAND // width)
    return [plane[top : top + rows + 2 * RADIUS] for top in range(0, height - 2 * RADIUS, rows)]


def _maps(a: Tensor, b: Tensor) -> Tensor:
    """SSIM at each pixel of two planes `(h, w)` that is at least `RADIUS` from the border."""
    mean_a, mean_b, aa, bb, ab = blur(torch.stack([a, b, a * a, b * b, a * b]))
    covariance, variances = ab - mean_a * mean_b, aa - mean_a.square() + bb - mean_b.square()
    luminance = (2 * mean_a * mean_b + C1) / (mean_a.square() + mean_b.square() + C1)
    structure = (2 * covariance + C2) / (variances + C2)
    maps: Tensor = luminance * structure
    return maps


def ssim_y(derained: Tensor, clean: Tensor) -> Tensor:
    """SSIM of the luma, in [-1, 1].

    Args:
        derained: frames `(..., 3, h, w)`, RGB, float in [0, 1] or uint8.
        clean: their clean twins, of the same shape.

    Returns:
        One float64 value a frame, `(...)`.

    Raises:
        InputError: if the frames differ in shape, are not RGB, or are smaller than 11x11 pixels.
    """
    first, second = (luma(frame) for frame in quantised(derained, clean))
    return similarity(first, second)


def ssim_rgb(derained: Tensor, clean: Tensor) -> Tensor:
    """SSIM of each channel, averaged over the three, in [-1, 1].

    Args and errors as `ssim_y`.
    """
    first, second = quantised(derained, clean)
    return similarity(first, second).mean(dim=-1)


METRICS = (Metric("ssim_y", ssim_y), Metric("ssim_rgb", ssim_rgb))
