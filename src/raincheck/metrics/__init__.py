"""Metrics: pure functions of frames, one file each. No list names the files; they are found.

A file of this folder that defines `METRICS`, a tuple of `Metric`, adds them to the catalogue.
"""

from importlib import import_module
from pkgutil import iter_modules

from torch import Tensor

from raincheck.metrics.base import Metric

# torchmetrics takes seconds to import, so what needs it is imported by name, by those who want it.
WITHOUT_METRICS = {"video_mean"}
# The first is the one that headlines speak of.
ORDER = ["psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "temporal_y"]


def catalogue() -> dict[str, Metric]:
    """Every metric of this folder by name: the protocol's five first, then others by name."""
    names = [module.name for module in iter_modules(__path__) if module.name not in WITHOUT_METRICS]
    modules = [import_module(f"{__name__}.{name}") for name in names]
    found: dict[str, Metric] = {m.name: m for module in modules for m in getattr(module, "METRICS", ())}
    return {name: found[name] for name in ORDER + sorted(found.keys() - set(ORDER))}


METRICS = catalogue()


def score_frames(derained: Tensor, clean: Tensor, previous: tuple[Tensor, Tensor] | None = None) -> dict[str, Tensor]:
    """Every metric of the catalogue on the same frames.

    Args:
        derained: frames `(..., 3, h, w)`, RGB, float in [0, 1] or uint8.
        clean: their clean twins, of the same shape.
        previous: the derained and the clean frames before these; None at a video's start, where temporal metrics are
            undefined and left out.

    Returns:
        One float64 value a frame, `(...)`, by the metric's name.

    Raises:
        InputError: if frames differ in shape, are not RGB, or are smaller than 11x11 pixels.
    """
    scores = {}
    for name, metric in METRICS.items():
        if not metric.temporal:
            scores[name] = metric.score(derained, clean)
        elif previous is not None:
            scores[name] = metric.score(derained, previous[0], clean, previous[1])
    return scores


__all__ = ["METRICS", "Metric", "score_frames"]
