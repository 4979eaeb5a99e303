"""Rendered rain over clean footage: real video, or filmed photographs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from raincheck.datasets.base import Footage, Task, TaskSource
from raincheck.datasets.excerpt import CentreCrop, Excerpt, hold_excerpt, open_excerpt
from raincheck.datasets.photographs import (
    TEST,
    FilmedPhotograph,
    bundled_photographs,
    folder_photographs,
    split_photographs,
)
from raincheck.datasets.rendering.film import SPEED
from raincheck.datasets.rendering.variety import PLAIN, Variety
from raincheck.datasets.rendering.video import RenderedVideo
from raincheck.errors import ConfigError
from raincheck.rain.drawn import Drawn
from raincheck.rain.kinds import as_rains
from raincheck.rain.parameters import Rain
from raincheck.rain.presets import PRESETS

FILM_SIZE = (192, 256)  # of the test films, where nothing else is asked for


class RenderedRain(TaskSource):
    """A rain type, rendered over clean videos or photographs.

    Training clips show variations of the rain (see `randomise`); test videos show the rain itself, the same for
    every seed of a run, so that seeds can be compared.

    Args:
        name: what the task is called.
        rain: a preset of `raincheck.rain.presets.PRESETS` (thin, veil, ...) or, drawn, of
            `raincheck.rain.drawn.DRAWN` (lines, drops, ...), the parameters of a `Rain` or a `Drawn`, or a list of
            these that makes up a mixed type.
        train: clean training videos: video files or folders of frames, `path` or `path[start:stop]`.
        test: clean test videos, likewise; they share no frame with the training videos. They show the rains of a
            mixed type in turn, and come again where there are fewer of them than rains.
        photographs: `bundled` films those that come with scikit-image and scikit-learn; a folder films those in it;
            a list may name both.
        test_photographs: names, without suffix, of the photographs to test on; all others are for training. By
            default two of the bundled ones, or each sixth of a folder.
        root: folder that paths are relative to.
        test_frames: at most so many frames of each test video.
        test_size: test videos are cut to this height and width around their centre; None keeps videos whole and
            films photographs at 192x256.
        variety: of the training clips.
        speed: pixels a frame that the camera over a photograph and the objects in front move at most, each.

    Raises:
        ConfigError: if the rain is unknown, a training video overlaps a test video, or numbers are out of range.
    """

    def __init__(
        self,
        name: str,
        rain: str | Rain | Drawn | list[str | Rain | Drawn],
        train: list[str] | None = None,
        test: list[str] | None = None,
        photographs: str | list[str] | None = None,
        test_photographs: list[str] | None = None,
        root: str = ".",
        test_frames: int = 24,
        test_size: tuple[int, int] | None = None,
        variety: Variety = PLAIN,
        speed: float = SPEED,
    ) -> None:
        if test_frames < 1 or (test_size is not None and min(test_size) < 1):
            raise ConfigError(
                f"task {name}: test_frames and test_size must be 1 or more, not {test_frames}, {test_size}"
            )
        if not 0 <= speed < math.inf:
            raise ConfigError(f"task {name}: speed must be 0 or more, not {speed}")
        self.name, self.test_frames, self.test_size, self.variety = name, test_frames, test_size, variety
        self.rains = as_rains(rain)
        self.root = Path(root)
        self.train = [Excerpt.parse(text, self.root) for text in train or []]
        self.test = [Excerpt.parse(text, self.root) for text in test or []]
        shared = [f"{a.path}" for a in self.train for b in self.test if a.overlaps(b)]
        if shared:
            raise ConfigError(f"task {name} trains and tests on {shared[0]}; give each video to one of the two")
        self.photographs = [photographs] if isinstance(photographs, str) else photographs or []
        self.test_photographs, self.speed = test_photographs, speed

    def rebase(self, folder: Path) -> None:
        """Takes videos and photographs from there."""
        self.root = folder / self.root
        self.train, self.test = (
            [replace(one, path=folder / one.path) for one in excerpts] for excerpts in (self.train, self.test)
        )

    def task(self, seed: int) -> Task:
        """Opens the footage; `seed` changes nothing, since all that varies is drawn when clips are sampled.

        Raises:
            ConfigError: if a photograph does not exist.
            InputError: if footage cannot be read.
        """
        films, test_films = self.films() if self.photographs else ([], [])
        # Turned, because rain falls down in the scene, which many phones store lying on its side.
        train: list[Footage] = [*(hold_excerpt(excerpt, turned=True) for excerpt in self.train), *films]
        whole: list[Footage] = [*(open_excerpt(excerpt, turned=True) for excerpt in self.test), *test_films]
        test = [CentreCrop(footage, self.test_frames, self.test_size) for footage in whole]
        shown = range(max(len(test), len(self.wet)) if test else 0)  # no rain goes untested
        return Task(
            self.name,
            [RenderedVideo(footage, self.rains, variety=self.variety) for footage in train],
            [RenderedVideo(test[seed % len(test)], self.wet, seed) for seed in shown],
        )

    @property
    def wet(self) -> tuple[Rain | Drawn, ...]:
        """The rains to test on: a dry video scores 100 dB untouched, and would outweigh all others in a mean."""
        return tuple(rain for rain in self.rains if rain != PRESETS["dry"]) or self.rains

    def films(self) -> tuple[list[FilmedPhotograph], list[FilmedPhotograph]]:
        """Films of the training and of the test photographs, which share no picture, objects in front included.

        Raises:
            ConfigError: if a test photograph does not exist, or none is left to train on.
            InputError: if a photograph cannot be read.
        """
        pictures: dict[str, Tensor] = {}
        test: list[str] = []
        for source in self.photographs:
            bundled = source == "bundled"
            found = bundled_photographs() if bundled else folder_photographs((self.root / source).resolve())
            pictures |= found
            test += TEST if bundled else list(found)[::6]
        names = split_photographs(pictures, tuple(self.test_photographs or test))
        train, tested = (self.film(pictures, part) for part in names)
        return train, tested

    def film(self, pictures: Mapping[str, Tensor], names: Sequence[str]) -> list[FilmedPhotograph]:
        """A film of each of the photographs `names`, with cut-outs of the same photographs in front."""
        cutouts = tuple(pictures[name] for name in names)
        size = self.test_size or FILM_SIZE
        return [
            FilmedPhotograph(name, pictures[name], cutouts, size, self.test_frames, speed=self.speed) for name in names
        ]
