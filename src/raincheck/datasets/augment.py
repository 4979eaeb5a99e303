"""How training clips vary: rainy and clean alike, by kornia."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from raincheck.errors import ConfigError
from raincheck.video.pixels import to_float, to_uint8
from raincheck.video.window import reflect


@dataclass
class Augment:
    """What happens to a training clip besides its crop, and to its clean twin alike.

    What is random is decided by the sample's generator alone. kornia's augmentations draw from torch's global
    generator; here they do so from a seed that the sample's generator gives, what they drew is replayed on the twin,
    and the global generator is left as it was.

    Args:
        mirror: probability that left and right change places; a mirrored scene in mirrored wind is as real as before.
        upside_down: probability that top and bottom do; as rare in the world as rain that rises.
        reverse: probability that a clip runs backwards.
        brightness: the light is multiplied by a factor between 1 - `brightness` and 1 + `brightness`, in [0, 1).
        ends: probability that a clip shows what a network sees of the first and last frames of a video, and of those
            beside a cut: frames reflected there. A network that never sees such windows leaves rain in them, and harms
            what moves.
        more: augmentations of kornia for images, such as `RandomGamma`, that treat all frames alike.

    Raises:
        ConfigError: if a number is out of range.
    """

    mirror: float = 0.5
    upside_down: float = 0.0
    reverse: float = 0.0
    brightness: float = 0.0
    ends: float = 0.0
    more: list[nn.Module] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Checks the numbers."""
        for name in ("mirror", "upside_down", "reverse", "brightness", "ends"):
            value = getattr(self, name)
            if not 0 <= value <= 1 or (name == "brightness" and value == 1):
                top = "below 1" if name == "brightness" else "1 at most"
                raise ConfigError(f"augment.{name} must be 0 or more and {top}, not {value}; correct it")

    def __call__(self, rng: np.random.Generator, rainy: Tensor, clean: Tensor) -> tuple[Tensor, Tensor]:
        """Varies a pair of clips, uint8 `(t, c, h, w)` each, as `rng` decides."""
        from kornia.geometry.transform import hflip  # lazily, because kornia takes time to import

        if rng.random() < self.mirror:
            rainy, clean = hflip(rainy), hflip(clean)
        if rng.random() < self.reverse:
            rainy, clean = rainy.flip(0), clean.flip(0)
        if self.ends and rng.random() < self.ends:
            window = at_an_end(rng, len(rainy))
            rainy, clean = rainy[window], clean[window]
        if self.sequence is None:
            return rainy, clean
        with drawing_from(int(rng.integers(2**63))):
            drawn = self.sequence.forward_parameters((1, *rainy.shape))
        rainy, clean = (to_uint8(self.sequence(to_float(clip)[None], params=drawn)[0]) for clip in (rainy, clean))
        return rainy, clean

    @cached_property
    def sequence(self) -> Any:
        """What kornia does to both clips of a pair, None for nothing."""
        from kornia.augmentation import ColorJitter, RandomVerticalFlip, VideoSequential

        steps = [RandomVerticalFlip(p=self.upside_down)] if self.upside_down else []
        # The jitter multiplies, as a longer exposure does; kornia's RandomBrightness adds.
        steps += [ColorJitter(brightness=self.brightness, p=1.0)] if self.brightness else []
        return VideoSequential(*steps, *self.more, data_format="BTCHW") if steps or self.more else None


def at_an_end(rng: np.random.Generator, length: int) -> list[int]:
    """The window of a frame so near an end of a video of that length that some of its frames are reflected."""
    radius = length // 2
    near = [*range(radius), *range(length - radius, length)] or [0]
    centre = near[int(rng.integers(len(near)))]
    return [reflect(index, length) for index in range(centre - radius, centre + radius + 1)]


@contextmanager
def drawing_from(seed: int) -> Iterator[None]:
    """Has torch's generator for the CPU draw from a seed; afterwards it is as it was before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would touch those of GPUs
        yield
