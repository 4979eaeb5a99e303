"""The frames of a film: what the camera sees of its picture, and the soft-edged cut-outs over it."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor

from raincheck.datasets.rendering.film import Cutout, Film, Floats
from raincheck.video.pixels import to_uint8

EDGE = 1.2  # pixels over which a cut-out's edge fades


def shoot(film: Film, picture: Tensor, cutouts: Sequence[Tensor], frames: NDArray[np.int64]) -> Tensor:
    """Frames `frames` `(t,)` of a film as uint8 `(t, c, h, w)`.

    The geometry is numpy's, whose results do not depend on the number of threads or the place in an array.

    Args:
        film: what moves.
        picture: the background, float32 `(3, h, w)` in [0, 1].
        cutouts: the photographs that objects are cut from, likewise.
        frames: indices.
    """
    x0, y0 = film.camera.places(frames)
    scale = film.scale * np.exp(film.zoom * frames)
    cos, sin = column(scale * np.cos(film.roll)), column(scale * np.sin(film.roll))
    u = np.arange(film.size[1], dtype=np.float32) - np.float32((film.size[1] - 1) / 2)
    v = np.arange(film.size[0], dtype=np.float32)[:, None] - np.float32((film.size[0] - 1) / 2)
    taken = look_up(picture, column(x0) + cos * u - sin * v, column(y0) + sin * u + cos * v)
    for cutout in film.cutouts:
        place(cutout, cutouts[cutout.texture], frames, taken)
    return to_uint8(torch.from_numpy(taken))


def place(cutout: Cutout, picture: Tensor, frames: NDArray[np.int64], film: Floats) -> None:
    """Lays an object over `film`, float32 `(t, 3, h, w)` for `frames` `(t,)`, in place."""
    high, wide = film.shape[-2:]
    x0, y0 = cutout.motion.places(frames)
    reach = max(cutout.radii) * (1 + cutout.lobes[1]) + 2 * EDGE
    left, right = max(0, int(x0.min() - reach)), min(wide, int(x0.max() + reach) + 1)
    top, bottom = max(0, int(y0.min() - reach)), min(high, int(y0.max() + reach) + 1)
    if left >= right or top >= bottom:
        return
    dx = np.arange(left, right, dtype=np.float32) - column(x0)
    dy = np.arange(top, bottom, dtype=np.float32)[:, None] - column(y0)
    angle = cutout.angle + cutout.spin * frames
    cos, sin = column(np.cos(angle)), column(np.sin(angle))
    u, v = cos * dx + sin * dy, cos * dy - sin * dx
    texture = look_up(picture, u + np.float32(cutout.source[0]), v + np.float32(cutout.source[1]))
    behind = film[..., top:bottom, left:right]
    behind += opacity(cutout, u, v)[:, None] * (texture - behind)


def opacity(cutout: Cutout, u: Floats, v: Floats) -> Floats:
    """How opaque an object is at places counted from its middle along its axes, pixels: in [0, 1], of their shape."""
    radius = np.hypot(u / np.float32(cutout.radii[0]), v / np.float32(cutout.radii[1]))
    count, depth, phase = cutout.lobes
    outline = 1 + np.float32(depth) * np.sin(count * np.arctan2(v, u) + np.float32(phase))
    alpha: Floats = ((outline - radius) * np.float32(min(cutout.radii) / EDGE) + np.float32(0.5)).clip(0, 1)
    return alpha


def look_up(picture: Tensor, x: Floats, y: Floats) -> Floats:
    """Bilinear look-up of `picture` `(3, h, w)` at pixel places `(t, h', w')`: float32 `(t, 3, h', w')`.

    Outside, the border is repeated. Coordinates refer to the whole picture: relative to a part of it, the same place
    would be rounded differently in another window of frames.
    """
    high, wide = picture.shape[-2:]
    grid = np.stack([x * (2 / (wide - 1)) - 1, y * (2 / (high - 1)) - 1], axis=-1, dtype=np.float32)
    # All frames look at one picture, so they are one tall frame: a batch would need a copy of it for each.
    tall = rearrange(torch.from_numpy(grid), "t h w xy -> 1 (t h) w xy")
    values = F.grid_sample(picture[None], tall, mode="bilinear", padding_mode="border", align_corners=True)
    looked_up: Floats = rearrange(values, "1 c (t h) w -> t c h w", t=len(x)).numpy()
    return looked_up


def column(values: Floats) -> Floats:
    """`(t,)` to float32 `(t, 1, 1)`."""
    return values.astype(np.float32)[:, None, None]
