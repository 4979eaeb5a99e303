"""Structural similarity of single frames (Wang, Bovik, Sheikh and Simoncelli 2004, equation 13).

As scikit-image's `structural_similarity` with gaussian_weights=True, sigma=1.5, use_sample_covariance=False and
data_range=255: an 11-pixel Gaussian window, and the mean over the pixels whose window lies inside the frame.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from raincheck.errors import InputError
from raincheck.metrics.base import Metric, quantised
from raincheck.metrics.luma import luma

RADIUS, SIGMA = 5, 1.5  # pixels; scikit-image truncates the Gaussian at 3.5 sigma
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def blur(planes: Tensor) -> Tensor:
    """Gaussian mean around each pixel at least `RADIUS` from the border: `(n, h, w)` to `(n, h - 10, w - 10)`."""
    offsets = torch.arange(-RADIUS, RADIUS + 1, dtype=planes.dtype, device=planes.device)
    weights = torch.exp(-offsets.square() / (2 * SIGMA**2))
    weights = weights / weights.sum()
    rows = F.conv2d(rearrange(planes, "n h w -> n 1 h w"), rearrange(weights, "k -> 1 1 1 k"))
    return rearrange(F.conv2d(rows, rearrange(weights, "k -> 1 1 k 1")), "n 1 h w -> n h w")


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
    a, b = (plane.double().reshape(-1, height, width) for plane in (first, second))
    mean_a, mean_b, aa, bb, ab = blur(torch.cat([a, b, a * a, b * b, a * b])).chunk(5)
    covariance, variances = ab - mean_a * mean_b, aa - mean_a.square() + bb - mean_b.square()
    luminance = (2 * mean_a * mean_b + C1) / (mean_a.square() + mean_b.square() + C1)
    structure = (2 * covariance + C2) / (variances + C2)
    return (luminance * structure).mean(dim=(-2, -1)).reshape(leading)


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
