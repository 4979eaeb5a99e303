"""Lays rain over video: streaks over a veil over the clean frames, all of which is handed back.

Overlapping streaks compose as 1 - exp(-sum of their optical depths).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor

from raincheck.errors import InputError
from raincheck.rain.drops import Drops, Seed
from raincheck.rain.light import lamplight, mean_colour
from raincheck.rain.parameters import Rain
from raincheck.rain.splatting import splat
from raincheck.rain.streaks import project
from raincheck.video.pixels import to_float

CHUNK = 10_000  # drops projected at once: what lies in the processor's cache is drawn a third faster
Shares = NDArray[np.float32]


class Field(Protocol):
    """Rain in front of a camera, as streaks without a scene."""

    @property
    def rain(self) -> Rain:
        """Its parameters, of which light and veil are laid over the scene."""
        ...

    def frames(self, start: int, count: int, scene: Shares | None = None) -> Shares:
        """The share of each pixel that drops hide in `count` frames from `start`, `(t, h, w)` in [0, 1).

        `scene` is the distance in m of what hides the drops behind it, float32 `(t, h, w)`; None hides none.
        """
        ...


class RainField:
    """Rain in front of a camera: frame `index` is a function of (rain, size, seed, index) alone.

    Args:
        rain: physical parameters.
        size: height and width of the frames, pixels.
        seed: decides every drop.
    """

    def __init__(self, rain: Rain, size: tuple[int, int], seed: Seed) -> None:
        self.rain, self.size = rain, size
        self.drops = Drops(rain, size, seed)

    def frame(self, index: int) -> Shares:
        """The share of each pixel that drops hide in frame `index`, `(h, w)` in [0, 1)."""
        hidden: Shares = self.frames(index, 1)[0]
        return hidden

    def frames(self, start: int, count: int, scene: Shares | None = None) -> Shares:
        """The same for `count` frames from `start`: `(t, h, w)` in [0, 1); see `Field`."""
        group = max(1, CHUNK // max(1, len(self.drops)))
        parts = [np.arange(i, min(i + group, start + count)) for i in range(start, start + count, group)]
        depth = [
            splat(project(self.drops, part), len(part), self.size, None if scene is None else scene[part[0] - start :])
            for part in parts
        ]
        hidden: Shares = -np.expm1(-np.concatenate(depth))
        return hidden

    def lay(self, clean: Tensor, start: int = 0) -> Tensor:
        """The rain's frames from `start` over a clean clip: uint8 `(t, c, h, w)`, like `clean`."""
        return lay(clean, self, start).rainy


@dataclass(frozen=True)
class Rendered:
    """A rainy clip and what it was made of; `rainy` is `to_uint8(compose(clean, ...))` of the rest, exactly.

    Attributes:
        rainy: uint8 `(t, c, h, w)`.
        streaks: share of each pixel that drops hide, float32 `(t, 1, h, w)` in [0, 1).
        transmission: of the veil, (0, 1]; with a depth map float32 `(t, 1, h, w)` in [0, 1].
        light: radiance of the drops, float32 `(t, c, 1, 1)`, or by lamps `(t, c, h, w)`; 0 or more, in units of white.
        airlight: brightness of the veil, [0, 1].
    """

    rainy: Tensor
    streaks: Tensor
    transmission: Tensor | float
    light: Tensor
    airlight: float


def compose(
    clean: Tensor, streaks: Tensor, transmission: Tensor | float, light: Tensor | float, airlight: float
) -> Tensor:
    """Lays a veil over a clean clip, and streaks over both.

    Args:
        clean: float32 `(t, c, h, w)` in [0, 1].
        streaks: float32 `(t, 1, h, w)` in [0, 1].
        transmission: share of the scene's light that passes the veil, broadcast to `(t, c, h, w)`.
        light: radiance of the drops, broadcast likewise.
        airlight: brightness of the veil, [0, 1].

    Returns:
        `(clean * transmission + airlight * (1 - transmission)) * (1 - streaks) + light * streaks`, not clamped.
    """
    veiled = (clean * transmission).add_(airlight * (1 - transmission))
    return (light - veiled).mul_(streaks).add_(veiled)  # in place: to ask for memory costs more than to compute


def cover(clean: Tensor, rain: Rain, hidden: Shares, transmission: Tensor | float) -> Rendered:
    """Lays streaks and a veil over a clean clip, by the light of a rain.

    Args:
        clean: uint8 `(t, c, h, w)`.
        rain: gives the drops' light and the veil's.
        hidden: share of each pixel that drops hide, `(t, h, w)` in [0, 1].
        transmission: of the veil, as in `Rendered`.
    """
    streaks = rearrange(torch.from_numpy(hidden), "t h w -> t 1 h w")
    own_light = rain.sky_share * rain.light * lamplight(clean, rain.lamps)
    light = own_light + (1 - rain.sky_share) * mean_colour(clean)
    rainy = compose(to_float(clean), streaks, transmission, light, rain.airlight)
    rainy = rainy.clamp_(0, 1).mul_(255).round_().to(torch.uint8)
    return Rendered(rainy, streaks, transmission, light, rain.airlight)


def lay(clean: Tensor, field: Field, start: int = 0, depth: Tensor | None = None) -> Rendered:
    """Lays frames `start`, `start + 1`, ... of a rain over a clean clip.

    Args:
        clean: uint8 `(t, c, h, w)` of the field's size.
        field: the rain.
        start: frame of the rain that meets the clip's first frame.
        depth: distance of the scene in m, float32 `(h, w)` or `(t, h, w)`, above 0; inf is the sky. It hides the drops
            behind it and makes the veil; None hides none, and takes the rain's `scene_depth` for the veil.

    Raises:
        InputError: if the depth map has another shape or values that are no distances.
    """
    if depth is None:
        return cover(clean, field.rain, field.frames(start, len(clean)), field.rain.transmission)
    scene = distances(depth, (len(clean), clean.shape[-2], clean.shape[-1]))
    passing = rearrange(torch.from_numpy(field.rain.passing(scene)), "t h w -> t 1 h w")
    return cover(clean, field.rain, field.frames(start, len(clean), scene), passing)


def distances(depth: Tensor, shape: tuple[int, int, int]) -> Shares:
    """A depth map as float32 `(t, h, w)`.

    Raises:
        InputError: if it has another shape, or values that are no distances.
    """
    if tuple(depth.shape) not in (shape, shape[1:]):
        raise InputError(f"a depth map is {tuple(depth.shape)}; frames {shape} need {shape[1:]} or {shape}")
    if not bool((depth > 0).all()):  # NaN is not above 0
        raise InputError("a depth map has values that are not above 0; give distances in metres, inf for the sky")
    return np.broadcast_to(depth.to(torch.float32).numpy(), shape)


def render(clean: Tensor, rain: Rain, seed: Seed, start: int = 0, depth: Tensor | None = None) -> Rendered:
    """Lays rain over a clean clip, uint8 `(t, c, h, w)`; the same (rain, seed, start) gives the same streaks.

    `depth` is as for `lay`, which see for what is raised.
    """
    return lay(clean, RainField(rain, (clean.shape[-2], clean.shape[-1]), seed), start, depth)
