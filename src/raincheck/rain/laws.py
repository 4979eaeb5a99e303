"""What falls: how many particles of which size, and how fast, for a rate in mm of water an hour.

Sizes are exponentially distributed, N(D) = N0 exp(-k D) per m^3 per mm, where D is the diameter of a particle's water.

- Rain: Marshall and Palmer (1948), N0 = 8000, k = 4.1 R^-0.21; speeds of Atlas et al. (1973), 9.65 - 10.3 exp(-0.6 D).
- Snow: Sekhon and Srivastava (1970), N0 = 2500 R^-0.94, k = 2.29 R^-0.45 per mm of *melted* diameter. A flake is as
  wide, and falls as fast, as aggregates of dendrites in Locatelli and Hobbs (1974): mass 0.073 W^1.4 mg, speed
  0.8 W^0.16 m/s, at a width of W mm.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def rain_speed(diameter: Floats) -> Floats:
    """Falling speed in m/s of drops of `diameter` mm."""
    speed: Floats = 9.65 - 10.3 * np.exp(-0.6 * diameter)
    return speed


def drop_width(diameter: Floats) -> Floats:
    """A drop is as wide as its water."""
    return diameter


def flake_width(melted: Floats) -> Floats:
    """Width in mm of flakes of `melted` mm: that of their mass, where 1 mm^3 of water is 1 mg."""
    return np.asarray((np.pi / 6 * melted**3 / 0.073) ** (1 / 1.4), dtype=np.float64)


def flake_speed(melted: Floats) -> Floats:
    """Falling speed in m/s of flakes of `melted` mm."""
    return np.asarray(0.8 * flake_width(melted) ** 0.16, dtype=np.float64)


@dataclass(frozen=True)
class Law:
    """The particles of one kind of precipitation; `rate` is in mm/h of water, diameters are those of their water.

    Attributes:
        intercept: factor and exponent of N0 as a power of the rate, per m^3 per mm.
        decline: the same of k, per mm.
        smallest, largest: diameters between which particles are drawn, mm.
        fastest: no particle falls faster, m/s.
        speed: falling speed in m/s of diameters in mm.
        width: width in mm of diameters in mm.
    """

    intercept: tuple[float, float]
    decline: tuple[float, float]
    smallest: float
    largest: float
    fastest: float
    speed: Callable[[Floats], Floats]
    width: Callable[[Floats], Floats]

    def slope(self, rate: float) -> float:
        """The exponent k, per mm."""
        return float(self.decline[0] * rate ** self.decline[1])

    def concentration(self, rate: float) -> float:
        """Particles in a cubic metre."""
        k = self.slope(rate)
        inside = np.exp(-k * self.smallest) - np.exp(-k * self.largest)
        return float(self.intercept[0] * rate ** self.intercept[1] / k * inside)

    def diameters(self, rate: float, uniform: Floats) -> Floats:
        """Diameters in mm from uniform numbers in [0, 1), by the inverse of the truncated distribution."""
        k = self.slope(rate)
        kept = 1 - np.exp(-k * (self.largest - self.smallest))
        sizes: Floats = self.smallest - np.log1p(-uniform * kept) / k
        return sizes

    @property
    def widest(self) -> float:
        """Width in mm of the largest particle."""
        return float(self.width(np.array(self.largest)))


# Smaller drops are mist, larger ones break up; flakes of 0.4 to 1.5 mm of water are 0.5 to 10 mm wide.
LAWS: Mapping[str, Law] = {
    "rain": Law((8000.0, 0.0), (4.1, -0.21), 0.5, 6.0, 9.65, rain_speed, drop_width),
    "snow": Law((2500.0, -0.94), (2.29, -0.45), 0.4, 1.5, 1.2, flake_speed, flake_width),
}
