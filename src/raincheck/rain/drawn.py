"""Rain as it is drawn over films: streaks in pixels, whose length, width and strength are free of one another.

Much public rainy video was made with the rain effect of a video editor, whose streaks follow no optics: wide and long
and opaque, or short and faint. `raincheck.rain.render` cannot make these at any parameters, since there a streak's
length, width and opacity all come from the drop's size, its distance and the exposure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from raincheck.errors import ConfigError

Range = tuple[float, float]
BLENDS = ("alpha", "add", "screen", "lighten")


@dataclass(frozen=True)
class Drawn:
    """A family of drawn rains; one of them takes a value from each range, uniform in the logarithm.

    Attributes:
        length: of a streak, pixels.
        width: of a streak, pixels; below 1 it is a fainter line of one pixel.
        opacity: of a streak, up to 1.
        coverage: share of the picture under streaks.
        hardness: what a streak's profile is multiplied by before it is cut at `opacity`; 0.5 is soft, 3 has hard edges.
        pace: way of a streak from frame to frame, in lengths of it; half of the rains are new in every frame instead.
        light: brightness of a streak, in units of white.
        slant: standard deviation of a rain's angle to the vertical, degrees.
        blends: how a rain may be laid over the scene: `alpha`, `add`, `screen`, `lighten` (alpha, where brighter).

    Raises:
        ConfigError: if a range is empty or not positive, or there is no such blend.
    """

    length: Range = (6.0, 80.0)
    width: Range = (0.35, 1.2)
    opacity: Range = (0.1, 0.8)
    coverage: Range = (0.005, 0.2)
    hardness: Range = (0.7, 2.0)
    pace: Range = (0.3, 4.0)
    light: Range = (0.6, 1.1)
    slant: float = 15.0
    blends: tuple[str, ...] = field(default=BLENDS)

    def __post_init__(self) -> None:
        """Checks the ranges."""
        for entry in fields(self)[:7]:
            given = getattr(self, entry.name)
            if not _is_range(given):
                raise ConfigError(
                    f"drawn rain's {entry.name} is {given}; give two numbers above 0, the lower one first"
                )
        upright = isinstance(self.slant, int | float) and 0 <= self.slant < math.inf
        if max(self.opacity[1], self.coverage[1]) > 1 or not upright or not self.blends:
            raise ConfigError(f"drawn rain needs opacity and coverage up to 1, a slant and blends; change {self}")
        unknown = sorted(set(self.blends) - set(BLENDS))
        if unknown:
            raise ConfigError(f"drawn rain has no blend {unknown[0]!r}; choose among {', '.join(BLENDS)}")


def _is_range(given: Any) -> bool:
    pair = given if isinstance(given, Sequence) and len(given) == 2 else (0, 0)
    return all(isinstance(number, int | float) for number in pair) and 0 < pair[0] <= pair[1] < math.inf


DRAWN: dict[str, Drawn] = {
    # Long, thin, half transparent.
    "lines": Drawn((12, 100), (0.4, 1.8), opacity=(0.25, 1.0), coverage=(0.03, 0.3), hardness=(0.8, 2.5)),
    # Short and faint.
    "flecks": Drawn((3, 20), (0.5, 2.5), opacity=(0.12, 0.8), coverage=(0.02, 0.25), hardness=(0.8, 2.5)),
    # Wide and opaque, with hard edges.
    "strokes": Drawn((8, 90), (1.2, 6.0), opacity=(0.3, 1.0), coverage=(0.02, 0.2), hardness=(1, 4)),
    # Few, near the camera: short and wide, and often opaque.
    "drops": Drawn((4, 30), (2.0, 8.0), opacity=(0.3, 1.0), coverage=(0.001, 0.03), hardness=(1, 4)),
    # Out of focus.
    "soft": Drawn((10, 80), (2.0, 10.0), opacity=(0.1, 0.6), coverage=(0.02, 0.3), hardness=(0.4, 1.2)),
}
