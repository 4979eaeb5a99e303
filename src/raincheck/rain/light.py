"""What light of a scene the rain in front of it takes on."""

import numpy as np
import torch
from einops import rearrange
from scipy import ndimage
from torch import Tensor

HALO = 0.12  # of the frame's height over which a lamp's light is spread, three times


def mean_colour(clean: Tensor) -> Tensor:
    """The mean over the pixels of each frame, uint8 `(t, c, h, w)` to float32 `(t, c, 1, 1)` in [0, 1].

    Per frame, so that a video read in other windows gets the same rain; summed in integers, because the rounding of a
    float sum depends on the number of threads.
    """
    return clean.sum(dim=(-2, -1), keepdim=True).to(torch.float32) / (255 * clean.shape[-2] * clean.shape[-1])


def lamplight(clean: Tensor, share: float) -> Tensor | float:
    """How much more light than on average there is before each pixel: 1 on average over a frame.

    A lamp lights the rain around it: its picture is spread over `HALO` of the frame's height, by three box filters.

    Args:
        clean: uint8 `(t, c, h, w)`.
        share: of the light that comes from lamps, [0, 1].

    Returns:
        float32 `(t, 1, h, w)`, or 1 without lamps.
    """
    if share == 0:
        return 1.0
    # Squared, because what is white in a picture is often much brighter; by scipy, which knows no threads.
    glow = (clean.numpy().astype(np.float64) ** 2).sum(axis=1) + 1
    for _ in range(3):
        for axis in (1, 2):
            glow = ndimage.uniform_filter1d(glow, max(1, int(HALO * clean.shape[-2])), axis)
    glow /= np.stack([frame.mean() for frame in glow])[:, None, None]
    return rearrange(torch.from_numpy((1 + share * (glow - 1)).astype(np.float32)), "t h w -> t 1 h w")
