"""Numbers as people read them, the same on the page and in the terminal."""

from collections.abc import Callable
from dataclasses import dataclass

from raincheck.evaluation.costs import COSTS, Unit
from raincheck.evaluation.statistics import Estimate
from raincheck.metrics import METRICS

NOTHING = "–"  # where a value is undefined
DIGITS = {"dB": 2, "grey levels": 2}


def unit(metric: str) -> str:
    """The unit of a metric's values; empty for those that have none."""
    return METRICS[metric].unit if metric in METRICS else ""


def digits(metric: str) -> int:
    """Decimals that mean something in a metric's values."""
    return DIGITS.get(unit(metric), 4)


def score(value: float | None, metric: str) -> str:
    """A metric's value."""
    return NOTHING if value is None else f"{value:.{digits(metric)}f}".replace("-", "−")


def change(value: float | None, metric: str) -> str:
    """A difference of a metric's values, with its sign unless it is zero as written."""
    if value is None:
        return NOTHING
    rounded = round(value, digits(metric))
    return f"{rounded:+.{digits(metric)}f}".replace("-", "−") if rounded else score(0.0, metric)


def estimate(value: Estimate, metric: str, signed: bool = False) -> str:
    """A mean with its interval: `28.70 ± 0.12`; no interval where there is none."""
    mean = (change if signed else score)(value.mean, metric)
    return mean if value.half is None else f"{mean} ± {score(value.half, metric)}"


def chance(value: float | None) -> str:
    """A p value."""
    if value is None:
        return NOTHING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def count(value: float | None) -> str:
    """A number of parameters: `0.92 M`, `12.3 k`."""
    if value is None:
        return NOTHING
    if value >= 1e5:
        return f"{value / 1e6:.2f} M"
    return f"{value / 1e3:.1f} k" if value >= 1000 else f"{value:.0f}"


def size(value: float | None) -> str:
    """Bytes in decimal units: `33.6 MB`."""
    if value is None:
        return NOTHING
    for power, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= power:
            return f"{value / power:.1f} {name}"
    return f"{value:.0f} B"


def duration(seconds: float | None) -> str:
    """A time: `2 h 05 min`, `3 min 20 s`, `45 s`."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{seconds:.0f} s"


def share(value: float | None) -> str:
    """How much more: `+0.67`."""
    return NOTHING if value is None else f"{value:+.2f}" if round(value, 2) else "0"


@dataclass(frozen=True)
class Scale:
    """How numbers of a unit are written, and what an axis counts them in."""

    written: Callable[[float | None], str]
    size: float = 1.0
    name: str = ""


SCALES: dict[Unit, Scale] = {
    "parameters": Scale(count, 1e6, "million"),
    "bytes": Scale(size, 1e6, "MB"),
    "seconds": Scale(duration, 60.0, "minutes"),
    "passes": Scale(share),
}


def cost(name: str, value: float | None) -> str:
    """A cost of a run, by its name in report.json."""
    return SCALES[COSTS[name].unit].written(value)


def several(count: int, what: str) -> str:
    """A number of things: `1 seed`, `3 seeds`."""
    return f"{count} {what}{'s' * (count != 1)}"
