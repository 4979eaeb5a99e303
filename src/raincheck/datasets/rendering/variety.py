"""How training clips vary beyond one rain of their type over footage as it is."""

from dataclasses import dataclass

from raincheck.errors import ConfigError
from raincheck.rain.parameters import WIDEST


@dataclass(frozen=True)
class Variety:
    """How training clips vary.

    Attributes:
        spread: how far the rain varies, 1 for a narrow type, 5 at most; 0 shows the rain itself only. See `randomise`;
            drawn rain varies within its ranges whatever the spread.
        layers: at most so many rains of the type fall at once.
        dry: share of the clips without rain: a network that never sees one takes sunlit foliage for rain.
        pictures: turn the footage by quarters, and change exposure and contrast; see `vary_picture`.
        captions: share of the clips with letters over the rain: a network that never sees any takes them for streaks.
        compressed: share of the clips that were lossy files, rainy and clean alike; see `compress`. Streaks look
            otherwise then, and all rain that is filmed or published has been compressed.

    Raises:
        ConfigError: if a number is out of its range.
    """

    spread: float = 1.0
    layers: int = 1
    dry: float = 0.0
    pictures: bool = False
    captions: float = 0.0
    compressed: float = 0.0

    def __post_init__(self) -> None:
        """Checks the ranges."""
        shares = self.dry, self.captions, self.compressed
        if not 0 <= self.spread <= WIDEST or self.layers < 1 or not all(0 <= share <= 1 for share in shares):
            raise ConfigError(
                f"training clips cannot have spread {self.spread}, layers {self.layers}, dry {self.dry}, captions "
                f"{self.captions} and compressed {self.compressed}; give a spread of 0 to {WIDEST:g}, "
                "layers of 1 or more, and shares in [0, 1]"
            )


PLAIN = Variety()
