"""Drawn rain as it falls: the streaks of one rain of a family (drawn.py), and how they are laid over a scene."""

from dataclasses import fields
from typing import Any

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor

from raincheck.rain.drawn import Drawn
from raincheck.rain.drops import Seed
from raincheck.rain.laws import Floats
from raincheck.rain.light import mean_colour
from raincheck.rain.splatting import splat
from raincheck.rain.streaks import Streaks
from raincheck.video.pixels import to_float, to_uint8


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
