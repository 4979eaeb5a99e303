"""A camera that moves over a still picture, and cut-outs that move in front of it: where all is, in which frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

OBJECT_RATE = 1 / (160 * 160)  # objects a pixel of the region they wander over
SPEED = 2.5  # pixels a frame that camera and objects move at most, each, unless asked for otherwise

Floats = NDArray[Any]  # float32 for pixels, float64 for paths


@dataclass(frozen=True)
class Motion:
    """Something's place in the film over time, pixels and frames: linear, with a smooth sway.

    Attributes:
        at: x and y at frame 0.
        velocity: of x and y, a frame.
        sway: amplitude in x and y.
        pace: of the sway, radians a frame.
        phase: of the sway, radians.
    """

    at: tuple[float, float]
    velocity: tuple[float, float]
    sway: tuple[float, float]
    pace: float
    phase: float

    def places(self, frames: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Columns and rows at `frames` `(t,)`."""
        swing = np.sin(self.pace * frames + self.phase)
        return (
            self.at[0] + self.velocity[0] * frames + self.sway[0] * swing,
            self.at[1] + self.velocity[1] * frames + self.sway[1] * swing,
        )


@dataclass(frozen=True)
class Cutout:
    """A moving object: a blob of a photograph.

    Attributes:
        texture: which photograph it is cut from.
        source: x and y of its middle there, pixels.
        motion: its path over the film.
        radii: half its axes, film pixels.
        lobes: number, depth and phase of the waves in its outline.
        angle: at frame 0, radians.
        spin: radians a frame.
    """

    texture: int
    source: tuple[float, float]
    motion: Motion
    radii: tuple[float, float]
    lobes: tuple[int, float, float]
    angle: float
    spin: float


@dataclass(frozen=True)
class Film:
    """All that moves in a film.

    Attributes:
        size: height and width, pixels.
        camera: path of the view's middle, picture pixels.
        scale: picture pixels a film pixel at frame 0, about 1 to 1.6: the picture is never enlarged visibly.
        zoom: growth of the logarithm of `scale` a frame.
        roll: of the camera at frame 0, radians.
        cutouts: objects, the last in front.
    """

    size: tuple[int, int]
    camera: Motion
    scale: float
    zoom: float
    roll: float
    cutouts: tuple[Cutout, ...]


def draw_motion(rng: np.random.Generator, low: Floats, high: Floats, speed: float, length: int) -> Motion:
    """A random path inside the box from `low` to `high` (x and y), at most `speed` pixels a frame before the sway."""
    start = rng.uniform(low, high)
    heading, pace = rng.uniform(0, 2 * np.pi), rng.uniform(0, speed)
    end = np.clip(start + pace * length * np.array([np.cos(heading), np.sin(heading)]), low, high)
    vx, vy = (end - start) / max(1, length)
    sx, sy = rng.uniform(0, 2, 2)
    return Motion(
        (float(start[0]), float(start[1])), (float(vx), float(vy)), (float(sx), float(sy)),
        float(rng.uniform(0.1, 0.5)), float(rng.uniform(0, 2 * np.pi)),
    )  # fmt: skip


def draw_cutout(
    rng: np.random.Generator, shapes: Sequence[tuple[int, int]], size: tuple[int, int], length: int, speed: float
) -> Cutout:
    """A random moving object for a film of `size`, cut from one of the photographs of `shapes`."""
    texture = int(rng.integers(len(shapes)))
    radii = np.minimum(rng.uniform(10, 40, 2), min(shapes[texture]) / 4)
    border = float(radii.max())
    high, wide = shapes[texture]
    source = rng.uniform((border, border), (wide - border, high - border))
    motion = draw_motion(rng, np.full(2, -border), np.array([size[1], size[0]]) + border, speed, length)
    lobes = (int(rng.integers(2, 6)), float(rng.uniform(0, 0.2)), float(rng.uniform(0, 2 * np.pi)))
    return Cutout(
        texture, (float(source[0]), float(source[1])), motion, (float(radii[0]), float(radii[1])), lobes,
        float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(-0.06, 0.06)),
    )  # fmt: skip


def draw_film(
    rng: np.random.Generator,
    shape: tuple[int, int],
    cutouts: Sequence[tuple[int, int]],
    size: tuple[int, int],
    length: int,
    speed: float = SPEED,
) -> Film:
    """A random film of a picture.

    Args:
        rng: decides all of it.
        shape: of the picture, height and width.
        cutouts: shapes of the photographs that objects are cut from.
        size: height and width of the film, pixels.
        length: frames that the camera must stay inside the picture for.
        speed: pixels a frame that camera and objects move at most, each.
    """
    high, wide = shape
    fit = 0.85 * min(high / size[0], wide / size[1])
    scale = min(float(rng.uniform(1.0, 1.6)), fit)
    half = np.array([size[1], size[0]]) * scale / 2
    middle = np.array([wide, high]) / 2
    slack = np.maximum(middle - 1.05 * half - 2, 0)  # 5% for zoom and roll, 2 pixels for the sway
    camera = draw_motion(rng, middle - slack, middle + slack, speed * scale, length)
    zoom, roll = rng.uniform(-0.04, 0.04) / max(8, length), rng.uniform(-0.02, 0.02)
    # Objects wander over the film and their own size around it; this keeps their number per area.
    region = (size[0] + 50) * (size[1] + 50)
    many = min(3, int(rng.poisson(region * OBJECT_RATE))) if cutouts else 0
    objects = tuple(draw_cutout(rng, cutouts, size, length, speed) for _ in range(many))
    return Film(size, camera, scale, float(zoom), float(roll), objects)
