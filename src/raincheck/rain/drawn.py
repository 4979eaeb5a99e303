"""Rain as it is drawn over films: streaks in pixels, whose length, width and strength are free of one another.

Much public rainy video was made with the rain effect of a video editor, whose streaks follow no optics: wide and long
and opaque, or short and faint. `raincheck.rain.render` cannot make these at any parameters, since there a streak's
length, width and opacity all come from the drop's size, its distance and the exposure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.rain.drops import Seed
from raincheck.rain.laws import Floats
from raincheck.rain.light import mean_colour
from raincheck.rain.streaks import Streaks, splat
from raincheck.video.pixels import to_float, to_uint8

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


class DrawnField:
    """One drawn rain: frame `index` is a function of (drawn, size, seed, index) alone.

    Args:
        drawn: the family it is one of.
        size: height and width of the frames, pixels.
        seed: decides the rain, every streak included.
    """

    def __init__(self, drawn: Drawn, size: tuple[int, int], seed: Seed) -> None:
        rng = np.random.default_rng(seed)
        self.size = size
        length, width, self.opacity, coverage, self.hardness, pace, light = (
            float(np.exp(rng.uniform(*np.log(getattr(drawn, entry.name))))) for entry in fields(drawn)[:7]
        )
        self.blend = drawn.blends[int(rng.integers(len(drawn.blends)))]
        # A streak takes the scene's mean colour in part, and is a little warmer or colder than white.
        self.scene_share = float(rng.uniform(0, 0.4))
        self.light = torch.from_numpy(light * rng.uniform(0.95, 1.05, 3).astype(np.float32))[:, None, None]
        self.key = int(rng.integers(2**63))
        self.moving = bool(rng.random() < 0.5)
        margin = 1.5 * (length + width) + 2
        self.box = np.array([size[1], size[0]]) + 2 * margin
        self.margin = margin
        count = int(rng.poisson(coverage * self.box.prod() / (length * max(width, 1.0))))
        # Beads: a streak's brightness changes along it in steps.
        self.beads = int(rng.choice((1, 1, 2, 4)))
        slant = np.deg2rad(rng.normal(0, drawn.slant) + rng.normal(0, 2.5, count))
        size_ = np.exp(0.25 * rng.standard_normal((2, count)).clip(-1.5, 1.5))
        self.length, self.width = length * size_[0], width * size_[1]
        self.heading = np.stack([np.sin(slant), np.cos(slant)])
        self.step = self.heading * self.length * pace * float(rng.choice((-1.0, 1.0)) if rng.random() < 0.05 else 1.0)
        self.weight = rng.uniform(0.3, 1, (self.beads, count))
        self.weight /= self.weight.max(axis=0, initial=1e-9) * rng.uniform(1, 2.5, count)
        self.start = rng.random((2, count)) * self.box[:, None]

    def places(self, index: int) -> Floats:
        """Middles of the streaks in frame `index`, pixels, x and y `(2, n)`."""
        if self.moving:
            at = self.start + self.step * index
        else:
            at = np.random.default_rng((self.key, index)).random(self.start.shape) * self.box[:, None]
        places: Floats = np.mod(at, self.box[:, None]) - self.margin
        return places

    def streaks(self, indices: NDArray[np.int64]) -> Streaks:
        """The streaks of frames `indices`, bead by bead."""
        offset = (np.arange(self.beads) + 0.5) / self.beads - 0.5
        at = np.stack([self.places(int(index)) for index in indices])  # (t, 2, n)
        along = (offset[:, None] * self.length)[None, :, None] * self.heading  # (1, beads, 2, n)
        places = at[:, None] + along
        shape = (len(indices), self.beads, len(self.length))
        dx, dy = (self.heading * self.length / self.beads)[:, None, None]

        def flat(values: NDArray[Any]) -> NDArray[Any]:
            spread: NDArray[Any] = np.broadcast_to(values, shape).reshape(-1)
            return spread

        frame = np.arange(len(indices))[:, None, None]
        area = self.weight * self.length / self.beads * self.width
        x, y = (rearrange(places[:, :, i], "t beads n -> (t beads n)") for i in (0, 1))
        return Streaks(flat(frame), x, y, flat(dx), flat(dy), flat(area), flat(self.width))

    def frames(self, start: int, count: int) -> NDArray[np.float32]:
        """Opacity of the streaks in `count` frames from `start`, `(t, h, w)` in [0, 1]."""
        profile = splat(self.streaks(np.arange(start, start + count)), count, self.size)
        covered: NDArray[np.float32] = (self.hardness * profile).clip(0, 1) * np.float32(self.opacity)
        return covered

    def lay(self, clean: Tensor, start: int = 0) -> Tensor:
        """The rain's frames from `start` over a clean clip: uint8 `(t, c, h, w)`, like `clean`."""
        return self.over(clean, self.frames(start, len(clean)))

    def over(self, clean: Tensor, opacity: NDArray[np.float32]) -> Tensor:
        """Streaks of an opacity `(t, h, w)` in [0, 1], in this rain's light and blend, over a clean clip: uint8."""
        light = self.scene_share * mean_colour(clean) + (1 - self.scene_share) * self.light
        return to_uint8(blend(self.blend, to_float(clean), torch.from_numpy(opacity)[:, None], light))


def blend(kind: str, scene: Tensor, alpha: Tensor, light: Tensor) -> Tensor:
    """Streaks over a scene, float32, not clamped.

    Args:
        kind: one of `BLENDS`.
        scene: `(t, c, h, w)` in [0, 1].
        alpha: opacity of the streaks, `(t, 1, h, w)` in [0, 1].
        light: their brightness, broadcast to `scene`.
    """
    if kind == "add":
        return scene + alpha * light
    if kind == "screen":
        return 1 - (1 - scene) * (1 - alpha * light)
    over = scene + (light - scene) * alpha
    return torch.maximum(over, scene) if kind == "lighten" else over
