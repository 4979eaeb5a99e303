"""What a rain is made of, in physical units."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from raincheck.errors import ConfigError
from raincheck.rain.laws import LAWS, Law

POSITIVE = ("rate", "exposure", "frame_rate", "focal_length", "near", "focus")
NOT_NEGATIVE = ("gusts", "turbulence", "light", "veil", "scene_depth", "aperture")
LARGEST = float(np.finfo(np.float64).max)
SHARES = ("sky_share", "airlight", "lamps")
WIDEST = 5.0  # spread, see `randomise`: rate and focal length then differ from the type's by factors up to 6


@dataclass(frozen=True)
class Rain:
    """One kind of rain as one camera sees it.

    Drops between `near` and `far` are drawn one by one; what is farther merges into a veil.

    Attributes:
        rate: rain rate, mm/h of water, above 0.
        wind: horizontal wind in the image plane, m/s, positive to the right.
        gusts: amplitude of a slow swing of the wind, m/s.
        turbulence: standard deviation of each drop's own horizontal speed, m/s.
        exposure: time the shutter is open, s.
        frame_rate: frames a second, Hz.
        focal_length: focal length, pixels (a frame W pixels wide sees the angle 2 atan(W / 2 focal_length)).
        near: distance of the nearest drops, m.
        far: distance of the farthest drops drawn one by one, m.
        light: radiance of the sky or lamp that a drop refracts, in units of the sensor's white. Above 1 for backlit
            drops: the sky is overexposed in most photographs of rain.
        sky_share: share of that light in a drop's radiance, [0, 1]; the rest is the frame's mean colour, since a drop
            shows nearly the whole scene (Garg and Nayar 2007).
        veil: scale of the far rain's extinction (1 is Shettle's relation); 0 is no veil.
        scene_depth: distance of the scene behind the rain, m; only the veil uses it.
        airlight: brightness of an infinitely thick veil, [0, 1].
        aperture: diameter of the lens opening, m; 0 is a pinhole, in which all is sharp.
        focus: distance at which the lens is focused, m.
        pan: lateral speed of the camera, m/s, positive to the right: all drops drift the other way.
        forward: speed of the camera along its axis, m/s; negative drives backwards. Streaks then point away from the
            middle of the view, the more the nearer they are.
        yaw: turn of the camera, degrees a second, positive to the right; far drops drift the other way faster.
        lamps: share of the light that comes from what is bright in the picture, [0, 1]; the rest is everywhere alike.
        kind: what falls, `rain` or `snow`; see laws.py.

    Raises:
        ConfigError: if a value is outside its range.
    """

    rate: float = 20.0
    wind: float = 0.0
    gusts: float = 0.0
    turbulence: float = 0.2
    exposure: float = 1 / 150
    frame_rate: float = 30.0
    focal_length: float = 1000.0
    near: float = 0.6
    far: float = 4.0
    light: float = 4.0
    sky_share: float = 0.7
    veil: float = 0.0
    scene_depth: float = 100.0
    airlight: float = 0.8
    aperture: float = 0.002
    focus: float = 5.0
    pan: float = 0.0
    forward: float = 0.0
    yaw: float = 0.0
    lamps: float = 0.0
    kind: str = "rain"

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if self.kind not in list(LAWS):  # a list, since YAML may have put anything there
            raise ConfigError(f"the rain's kind is {self.kind!r}; it must be one of {', '.join(LAWS)}")
        numbers = [getattr(self, field.name) for field in fields(self) if field.name != "kind"]
        if not all(isinstance(number, int | float) and abs(number) <= LARGEST for number in numbers):
            raise ConfigError(f"rain parameters must be finite numbers; change {self}")
        self._refuse([n for n in POSITIVE if getattr(self, n) <= 0], "above 0")
        self._refuse([n for n in NOT_NEGATIVE if getattr(self, n) < 0], "0 or more")
        self._refuse([n for n in SHARES if not 0 <= getattr(self, n) <= 1], "between 0 and 1")
        self._refuse(["far"] if self.far <= self.near else [], f"beyond near ({self.near} m)")
        late = self.exposure * self.frame_rate > 1 + 1e-9
        self._refuse(["exposure"] if late else [], f"at most the time between frames, 1/{self.frame_rate:g} s")

    def _refuse(self, names: list[str], range_: str) -> None:
        if names:
            raise ConfigError(f"the rain's {names[0]} is {getattr(self, names[0])}; it must be {range_}")

    @property
    def law(self) -> Law:
        """Sizes and speeds of what falls."""
        return LAWS[self.kind]

    @property
    def extinction(self) -> float:
        """Extinction of the veil per metre: 0.312 R^0.67 per km (Shettle 1990, via Halder et al. 2019) x `veil`."""
        return float(self.veil * 0.312 * self.rate**0.67 / 1000)

    @property
    def transmission(self) -> float:
        """Share of the scene's light that passes the veil (Koschmieder), (0, 1]."""
        return float(np.exp(-self.extinction * self.scene_depth))

    def passing(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same of a scene at `depth` m, any shape; inf is the sky, which no veil leaves clear."""
        if self.extinction == 0:
            return np.ones_like(depth)
        share: NDArray[np.float32] = np.exp(-np.float32(self.extinction) * depth)
        return share


def randomise(rain: Rain, rng: np.random.Generator, spread: float = 1.0) -> Rain:
    """Another rain of the same type, so that training sees a type and not one instance of it.

    Rate, exposure, focal length and light vary by factors of about 1.2, the wind by a seventh of itself or 0.4 m/s,
    the airlight by 0.03 (standard deviations); all of them times `spread`.

    Args:
        rain: the type.
        rng: decides the instance; always draws the same number of values.
        spread: how far from the type's middle its instances lie, up to `WIDEST`; 0 is the type itself.
    """
    draw = spread * rng.standard_normal(6).clip(-2, 2)
    factor = np.exp(0.18 * draw)
    return replace(
        rain,
        rate=float(rain.rate * factor[0]),
        wind=float(rain.wind + max(0.4, abs(rain.wind) / 7) * draw[1]),
        exposure=float(min(rain.exposure * factor[2], 1 / rain.frame_rate)),
        focal_length=float(rain.focal_length * factor[3]),
        light=float(rain.light * factor[4]),
        airlight=float(np.clip(rain.airlight + 0.03 * draw[5], 0, 1)),
    )
