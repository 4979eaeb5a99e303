"""Clean footage under rendered rain: clips to learn from, which vary, and videos to test on, which do not."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from raincheck.datasets.base import Footage, Wrapped, check_window, random_window
from raincheck.datasets.excerpt import CentreCrop
from raincheck.datasets.rendering.caption import draw_caption
from raincheck.datasets.rendering.compressed import compress
from raincheck.datasets.rendering.kept import kept
from raincheck.datasets.rendering.tone import vary_picture
from raincheck.datasets.rendering.variety import PLAIN, Variety
from raincheck.rain.drawing import DrawnField
from raincheck.rain.drawn import Drawn
from raincheck.rain.kinds import falling, varied
from raincheck.rain.parameters import Rain
from raincheck.rain.render import RainField


@runtime_checkable
class Cuttable(Protocol):
    """Footage that makes a random clip more cheaply than by reading whole frames."""

    def sample(self, rng: np.random.Generator, count: int, crop: int) -> Tensor:
        """A clip, uint8 `(count, c, crop, crop)`, decided by `rng` alone."""
        ...


@dataclass(eq=False)
class RenderedVideo(Wrapped):
    """Clean footage under rendered rain.

    Attributes:
        footage: the clean video.
        rains: one rain, or several that make up a mixed type.
        seed: of the rain that `read` lays over the footage.
        variety: of the training clips.
    """

    rains: tuple[Rain | Drawn, ...]
    seed: int = 0
    variety: Variety = PLAIN

    @cached_property
    def field(self) -> RainField | DrawnField:
        """The rain that `read` shows: the type itself, not a variation of it."""
        return falling(self.rains[self.seed % len(self.rains)], self.size, self.seed)

    def read(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Rainy and clean frames, uint8 `(t, c, h, w)` each; the same values at every call."""
        about = (self.rains, self.seed, start, count)
        return kept(source(self.footage), about, lambda: self._read(start, count))

    def _read(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        clean = self.footage.read(start, count)
        return self.field.lay(clean, start), clean

    def check_clips(self, count: int, crop: int) -> None:
        """Raises InputError if its footage is shorter than `count` frames, or smaller than `crop` pixels."""
        if not isinstance(self.footage, Cuttable):
            check_window(len(self), self.size, count, crop, self.name)

    def sample(self, rng: np.random.Generator, count: int, crop: int) -> tuple[Tensor, Tensor]:
        """A random clip under a new variation of the rain, and its clean twin, uint8 `(count, c, crop, crop)`.

        The rain is rendered over the crop alone, as a camera with the same focal length and a small sensor sees it.

        Raises:
            InputError: if the footage is shorter or smaller than the clip.
        """
        about = (self.rains, self.variety, count, crop)
        return kept(source(self.footage), about, lambda: self._sample(rng, count, crop), rng)

    def _sample(self, rng: np.random.Generator, count: int, crop: int) -> tuple[Tensor, Tensor]:
        clean = self.cut(rng, count, crop)
        if self.variety.pictures:
            clean = vary_picture(clean, rng)
        rainy = clean
        for _ in range(self.layers(rng)):
            rainy = self.rain_on(rainy, rng)
        if self.variety.captions and rng.random() < self.variety.captions:
            caption = draw_caption(rng, (crop, crop))
            rainy, clean = caption.lay(rainy), caption.lay(clean)
        if self.variety.compressed and rng.random() < self.variety.compressed:
            rainy, clean = compress((rainy, clean), rng)
        return rainy, clean

    def layers(self, rng: np.random.Generator) -> int:
        """How many rains fall on a training clip."""
        if self.variety.dry and rng.random() < self.variety.dry:
            return 0
        return 1 if self.variety.layers == 1 else int(rng.integers(1, self.variety.layers + 1))

    def rain_on(self, clip: Tensor, rng: np.random.Generator) -> Tensor:
        """A variation of one of the rains over a clip, uint8 `(t, c, h, w)`."""
        rain = varied(self.rains[int(rng.integers(len(self.rains)))], rng, self.variety.spread)
        return falling(rain, (clip.shape[-2], clip.shape[-1]), int(rng.integers(2**63))).lay(clip)

    def cut(self, rng: np.random.Generator, count: int, crop: int) -> Tensor:
        """A random clean clip, uint8 `(count, c, crop, crop)`."""
        if isinstance(self.footage, Cuttable):
            return self.footage.sample(rng, count, crop)
        start, top, left = random_window(rng, len(self), self.size, count, crop, self.name)
        return self.footage.read(start, count)[..., top : top + crop, left : left + crop]


def source(footage: Footage) -> Hashable | None:
    """What names footage to all runs of a process: the opened file and its crop; None for films, made for one run."""
    if isinstance(footage, CentreCrop):
        inner = source(footage.footage)
        return None if inner is None else (inner, footage.frames, footage.within)
    return None if isinstance(footage, Cuttable) or not isinstance(footage, Hashable) else footage
