"""Temporal difference error: flicker that single-frame scores do not see."""

from torch import Tensor

from raincheck.metrics.base import Metric, quantised
from raincheck.metrics.luma import luma


def temporal_y(derained: Tensor, previous_derained: Tensor, clean: Tensor, previous_clean: Tensor) -> Tensor:
    """Mean of `|(D_t - D_{t-1}) - (C_t - C_{t-1})|` on luma, in 8-bit grey levels; lower is better.

    Args:
        derained: frames `(..., 3, h, w)`, RGB, float in [0, 1] or uint8.
        previous_derained: the derained frames before them.
        clean: their clean twins.
        previous_clean: the clean frames before these. All four are of one shape.

    Returns:
        One float64 value a frame, `(...)`.

    Raises:
        InputError: if the frames differ in shape or are not RGB.
    """
    frames = quantised(derained, previous_derained, clean, previous_clean)
    now, before, clean_now, clean_before = (luma(frame).double() for frame in frames)
    return ((now - before) - (clean_now - clean_before)).abs().mean(dim=(-2, -1))


METRICS = (Metric("temporal_y", temporal_y, higher_is_better=False, unit="grey levels", temporal=True),)
