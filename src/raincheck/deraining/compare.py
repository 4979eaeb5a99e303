"""Showing a frame before and after in one picture."""

import math
from collections.abc import Callable
from fractions import Fraction

import torch
from einops import rearrange
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.video.pixels import PEAKS

SWEEP = 4.0  # seconds that the line takes from the left to the right and back
LINE = 240  # its width is the frame's, divided by this

Comparison = Callable[[Tensor, Tensor, Fraction], Tensor]


def side(rainy: Tensor, derained: Tensor, time: Fraction) -> Tensor:
    """Rainy at the left, derained at the right, `(c, h, 2 w)`."""
    return rearrange([rainy, derained], "n c h w -> c h (n w)")


def wipe(rainy: Tensor, derained: Tensor, time: Fraction) -> Tensor:
    """Rainy at the left and derained at the right of a white line that sweeps to and fro, `(c, h, w)`."""
    wide = rainy.shape[2]
    position = round(wide * (1 - math.cos(2 * math.pi * float(time) / SWEEP)) / 2)
    thick = max(1, wide // LINE)
    at = min(max(0, position - thick // 2), wide - thick)
    line = torch.full_like(rainy[:, :, :thick], PEAKS[rainy.dtype])
    return torch.cat([rainy[:, :, :at], line, derained[:, :, at + thick :]], dim=2)


COMPARISONS: dict[str, Comparison] = {"side": side, "wipe": wipe}


def choose_comparison(compare: bool | str) -> str | None:
    """The name of a comparison; True is `side`, False is None.

    Raises:
        ConfigError: if there is none of that name.
    """
    if isinstance(compare, bool):
        return "side" if compare else None
    if compare not in COMPARISONS:
        raise ConfigError(f"there is no comparison {compare!r}; use {' or '.join(COMPARISONS)}")
    return compare
