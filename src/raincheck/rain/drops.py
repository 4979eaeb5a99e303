"""Falling drops: sizes, speeds and places, as a pure function of time.

Sizes follow Marshall and Palmer (1948), N(D) = 8000 exp(-4.1 R^-0.21 D) per m^3 per mm; speeds follow Atlas et al.
(1973), v = 9.65 - 10.3 exp(-0.6 D) m/s. Their number is Poisson, by the volume that the camera sees.

Each drop stays at one depth. When it has fallen out of the region visible there it comes back at the top, at a place
hashed from (seed, drop, how often it has fallen), so memory is constant and any moment can be asked for first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raincheck.rain.parameters import Rain

Floats = NDArray[np.float64]
Seed = int | tuple[int, ...]

SMALLEST, LARGEST = 0.5, 6.0  # mm; smaller drops are mist, larger ones break up
INTERCEPT = 8000.0  # per m^3 per mm
GUST_PERIOD = 2.0  # s


def slope(rate: float) -> float:
    """Marshall and Palmer's exponent for a rain rate in mm/h, per mm."""
    return float(4.1 * rate**-0.21)


def concentration(rate: float) -> float:
    """Drops of `SMALLEST` to `LARGEST` in a cubic metre of rain of `rate` mm/h."""
    k = slope(rate)
    return float(INTERCEPT / k * (np.exp(-k * SMALLEST) - np.exp(-k * LARGEST)))


def diameters(rate: float, uniform: Floats) -> Floats:
    """Drop diameters in mm from uniform numbers in [0, 1), by the inverse of the truncated distribution."""
    k = slope(rate)
    kept = 1 - np.exp(-k * (LARGEST - SMALLEST))
    sizes: Floats = SMALLEST - np.log1p(-uniform * kept) / k
    return sizes


def terminal_velocity(diameter: Floats) -> Floats:
    """Falling speed in m/s of drops of `diameter` mm."""
    speed: Floats = 9.65 - 10.3 * np.exp(-0.6 * diameter)
    return speed


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
    """

    size: tuple[int, int]
    focal_length: float
    reach: tuple[float, float]
    blur: float

    def height(self, depth: Floats) -> Floats:
        """Height in m at `depth` m."""
        return depth * ((self.size[0] + self.blur) / self.focal_length) + self.reach[0]

    def width(self, depth: Floats) -> Floats:
        """Width in m at `depth` m."""
        return depth * ((self.size[1] + self.blur) / self.focal_length) + self.reach[1]

    def cumulated(self, near: float, far: float, steps: int = 64) -> tuple[Floats, Floats]:
        """Depths from `near` to `far` and the volume in m^3 up to each."""
        depth = np.linspace(near, far, steps)
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
        diameter, depth, fall, drift: of each drop: mm, m, m/s downwards, m/s to the right relative to the camera
            without gusts.
    """

    def __init__(self, rain: Rain, size: tuple[int, int], seed: Seed) -> None:
        rng = np.random.default_rng(seed)
        sideways = abs(rain.wind) + rain.gusts + abs(rain.pan) + 4 * rain.turbulence
        blur = rain.aperture * rain.focal_length * abs(1 / rain.near - 1 / rain.focus)
        blur += LARGEST / 1000 * rain.focal_length / rain.near + 2
        reach = (9.65 * rain.exposure, sideways * rain.exposure)
        self.rain, self.region = rain, Region(size, rain.focal_length, reach, blur)
        depths, volume = self.region.cumulated(rain.near, rain.far)
        count = int(rng.poisson(concentration(rain.rate) * volume[-1]))
        self.key = int(rng.integers(2**63))
        self.gust_phase = float(rng.uniform(0, 2 * np.pi))
        uniform = rng.random((3, count))
        self.diameter = diameters(rain.rate, uniform[0])
        self.depth: Floats = np.interp(uniform[1] * volume[-1], volume, depths)
        self.fall = terminal_velocity(self.diameter)
        self.drift: Floats = rain.wind - rain.pan + rain.turbulence * rng.standard_normal(count)
        self.height, self.width = self.region.height(self.depth), self.region.width(self.depth)
        self.start = uniform[2] * self.height
        self.ids = np.arange(count, dtype=np.uint64)

    def __len__(self) -> int:
        return len(self.ids)

    def gust(self, time: float) -> tuple[float, float]:
        """The common gust at `time` s: its speed in m/s and the way it has carried the drops since 0, in m."""
        turns = 2 * np.pi / GUST_PERIOD
        speed = self.rain.gusts * np.sin(turns * time + self.gust_phase)
        way = self.rain.gusts / turns * (np.cos(self.gust_phase) - np.cos(turns * time + self.gust_phase))
        return float(speed), float(way)

    def at(self, time: float) -> tuple[Floats, Floats]:
        """Where the drops are `time` s after the start: right of and below the optical axis, m."""
        fallen = self.start + self.fall * time
        wraps = np.floor(fallen / self.height)
        y = fallen - wraps * self.height - self.height / 2
        place = hashed(self.key, self.ids, wraps.astype(np.int64).astype(np.uint64)) * self.width
        x = np.mod(place + self.drift * time + self.gust(time)[1], self.width) - self.width / 2
        return x, y
