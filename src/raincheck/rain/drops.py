"""Falling drops: sizes, speeds and places, as a pure function of time. laws.py says what falls.

The number of drops is Poisson, by the volume that the camera sees. When a drop has fallen out of the region visible at
its depth it comes back at the top, at a place hashed from (seed, drop, how often it has fallen), so memory is constant
and any moment can be asked for first. Seen from a camera that drives, drops also come nearer, and come back far away.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raincheck.errors import ConfigError
from raincheck.rain.laws import Floats
from raincheck.rain.parameters import Rain

Seed = int | tuple[int, ...]
Times = float | Floats  # s

GUST_PERIOD = 2.0  # s
SLICES = 64  # of the depth, whose volumes are added up
MOST = 10_000_000  # drops; a frame of 9 million took 3.7 GB
STRIDE = 1_000_003  # more falls than any rain lasts: keeps the hashes of drops that came nearer apart


def hashed(key: int, drop: NDArray[np.uint64], wrap: NDArray[np.uint64]) -> Floats:
    """Uniform numbers in [0, 1) from (key, drop, wrap): splitmix64 as a counter-based generator."""
    z = np.uint64(key) + drop * np.uint64(0x9E3779B97F4A7C15) + wrap * np.uint64(0xD1B54A32D192ED03)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    uniform: Floats = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return uniform


@dataclass(frozen=True)
class Region:
    """The box around the camera's view at every depth, in which drops live.

    It is larger than the view by what a streak can reach beyond its middle, so that none pops up at a border.

    Attributes:
        size: height and width of the frame, pixels.
        focal_length: pixels.
        reach: height and width added at every depth, m.
        blur: pixels added at every depth.
        straight: depth in m whose height and width the box has everywhere; None widens it with the view. Drops that
            come nearer need it: theirs would otherwise leave a narrowing box.
    """

    size: tuple[int, int]
    focal_length: float
    reach: tuple[float, float]
    blur: float
    straight: float | None = None

    def height(self, depth: Floats) -> Floats:
        """Height in m at `depth` m."""
        return self._at(depth) * ((self.size[0] + self.blur) / self.focal_length) + self.reach[0]

    def width(self, depth: Floats) -> Floats:
        """Width in m at `depth` m."""
        return self._at(depth) * ((self.size[1] + self.blur) / self.focal_length) + self.reach[1]

    def _at(self, depth: Floats) -> Floats:
        return depth if self.straight is None else np.full_like(depth, self.straight)

    def cumulated(self, near: float, far: float) -> tuple[Floats, Floats]:
        """Depths from `near` to `far` and the volume in m^3 up to each."""
        depth = np.linspace(near, far, SLICES)
        area = self.height(depth) * self.width(depth)
        slices = (area[1:] + area[:-1]) / 2 * (depth[1] - depth[0])
        return depth, np.concatenate([[0.0], np.cumsum(slices)])


class Drops:
    """All drops in front of a camera.

    Args:
        rain: what falls.
        size: height and width of the frame, pixels.
        seed: decides every drop; the same seed gives the same rain.

    Attributes:
        diameter, depth, fall, drift: of each drop: width in mm, m at the start, m/s downwards, m/s to the right
            relative to the camera without gusts and turns.

    Raises:
        ConfigError: if they are too many.
    """

    def __init__(self, rain: Rain, size: tuple[int, int], seed: Seed) -> None:
        number, rng = expected(rain, size), np.random.default_rng(seed)
        law, self.turn = rain.law, float(np.radians(rain.yaw))  # rad/s
        self.rain, self.region = rain, region(rain, size)
        depths, volume = self.region.cumulated(rain.near, rain.far)
        count = int(rng.poisson(number))
        self.key = int(rng.integers(2**63))
        self.gust_phase = float(rng.uniform(0, 2 * np.pi))
        uniform = rng.random((3, count))
        water = law.diameters(rain.rate, uniform[0])
        self.diameter, self.fall = law.width(water), law.speed(water)
        self.depth: Floats = np.interp(uniform[1] * volume[-1], volume, depths)
        self.drift: Floats = rain.wind - rain.pan + rain.turbulence * rng.standard_normal(count)
        self.height, self.width = self.region.height(self.depth), self.region.width(self.depth)
        self.start = uniform[2] * self.height
        self.ids = np.arange(count, dtype=np.uint64)

    def __len__(self) -> int:
        return len(self.ids)

    def gust(self, time: Times) -> tuple[Times, Times]:
        """The common gust at `time` s: its speed in m/s and the way it has carried the drops since 0, in m."""
        return gust(self.rain, self.gust_phase, time)

    def depths(self, time: Times) -> tuple[Floats, NDArray[np.int64]]:
        """How far the drops are `time` s after the start, m, and how often each has passed the camera until then."""
        if self.rain.forward == 0:
            return self.depth, np.zeros(len(self), np.int64)
        way = self.depth - self.rain.near - self.rain.forward * time
        passes = np.floor(way / (self.rain.far - self.rain.near))
        return self.rain.near + way - passes * (self.rain.far - self.rain.near), passes.astype(np.int64)

    def at(self, time: Times) -> tuple[Floats, Floats, Floats]:
        """Where the drops are `time` s after the start: right of and below the optical axis, and how far, m.

        Of `time` `(t, 1)` all are `(t, n)`, but for a distance that never changes, `(n,)`.
        """
        depth, passes = self.depths(time)
        fallen = self.start + self.fall * time
        wraps = np.floor(fallen / self.height)
        y = fallen - wraps * self.height - self.height / 2
        returns = (wraps.astype(np.int64) + STRIDE * passes).astype(np.uint64)
        place = hashed(self.key, self.ids, returns) * self.width
        # The turn's part is the integral of its speed, depth x turn, over a depth that has changed evenly until now.
        turned = self.turn * time * (depth + self.rain.forward * time / 2)
        x = np.mod(place + self.drift * time + self.gust(time)[1] - turned, self.width) - self.width / 2
        return x, y, depth

    def sideways(self, time: Times, depth: Floats) -> Floats:
        """Speed to the right relative to the camera, m/s, of each drop at `time` s at `depth` m."""
        speed: Floats = self.drift + self.gust(time)[0] - self.turn * depth
        return speed


def region(rain: Rain, size: tuple[int, int]) -> Region:
    """The region in which drops live for a camera with frames of `size`."""
    sideways = abs(rain.wind) + rain.gusts + abs(rain.pan) + 4 * rain.turbulence
    sideways += abs(np.radians(rain.yaw)) * rain.far
    blur = rain.aperture * rain.focal_length * abs(1 / rain.near - 1 / rain.focus)
    blur += rain.law.widest / 1000 * rain.focal_length / rain.near + 2
    nearing = abs(rain.forward) * rain.exposure / rain.focal_length
    reach = (rain.law.fastest * rain.exposure + nearing * size[0], sideways * rain.exposure + nearing * size[1])
    return Region(size, rain.focal_length, reach, blur, rain.far if rain.forward else None)


def expected(rain: Rain, size: tuple[int, int]) -> float:
    """How many drops a camera with frames of `size` has in front of it, on average.

    Raises:
        ConfigError: if they are too many.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large for a float is too many as well
        number = rain.law.concentration(rain.rate) * region(rain, size).cumulated(rain.near, rain.far)[1][-1]
    if not number <= MOST:
        raise ConfigError(
            f"a rain of {rain.rate:g} mm/h as far as {rain.far:g} m has {number:.2g} drops before a camera of "
            f"{size[1]}x{size[0]} pixels with a focal length of {rain.focal_length:g}, and at most {MOST:.0e} can be "
            "rendered; lower rate, far or spread, or raise focal_length"
        )
    return float(number)


def gust(rain: Rain, phase: float, time: Times) -> tuple[Times, Times]:
    """A gust at `time` s: its speed in m/s and the way it has carried since 0, in m; `phase` in radians."""
    turns = 2 * np.pi / GUST_PERIOD
    speed = rain.gusts * np.sin(turns * time + phase)
    way = rain.gusts / turns * (np.cos(phase) - np.cos(turns * time + phase))
    return speed, way
