"""Axes of drawings: round numbers, and where a value lies."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """Values along a stretch of a drawing.

    Attributes:
        ticks: round numbers, evenly spaced, the first and last at the stretch's ends.
        start: where the first tick lies, in the drawing's units.
        end: where the last lies.
    """

    ticks: Sequence[float]
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where a value lies."""
        share = (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return round(self.start + share * (self.end - self.start), 1)

    def labels(self) -> list[tuple[float, str]]:
        """Every tick's place and number, with the decimals that tell ticks apart."""
        digits = max(0, -math.floor(math.log10(self.ticks[1] - self.ticks[0]) + 1e-9))
        return [(self(tick), f"{tick:.{digits}f}") for tick in self.ticks]


def axis(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis on which all values have room; from 0 to 1 where there are none."""
    return Axis(round_ticks(min(values), max(values)) if values else [0.0, 1.0], start, end)


def round_ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers, evenly spaced, from at most `low` to at least `high`."""
    size = max(abs(low), abs(high))
    # Of large numbers those that differ in the last digits only count as one: no ticks could be told apart between.
    span = high - low if high - low > 1e-9 * max(size, 1.0) else max(size * 0.1, 1e-3)
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next((power * factor for factor in (1, 2, 5) if power * factor >= span / 4 - 1e-12), power * 10)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [tick * step for tick in range(first, max(last, first + 2) + 1)]
