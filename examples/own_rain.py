"""A rain type and a method of your own, in one file, for `raincheck run`: snow, and a pull towards the old weights.

    PYTHONPATH=examples raincheck run --trust --config examples/own_rain.yaml --out runs/own_rain

Takes half a minute. `--trust`, because a configuration may otherwise name classes of raincheck, Avalanche,
Lightning and torch only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from avalanche.core import SupervisedPlugin
from raincheck.datasets.base import Task, TaskSource
from raincheck.datasets.photographs import TEST, FilmedPhotograph, bundled_photographs
from torch import Tensor

FALL = 3  # pixels a frame


def snow(clean: Tensor, rng: np.random.Generator, start: int = 0) -> Tensor:
    """Frames uint8 `(t, c, h, w)`, the first of them number `start`, under white flakes that fall."""
    flakes = torch.from_numpy(rng.random(clean.shape[-2:]) < 0.03)
    frames = [torch.where(flakes.roll(FALL * (start + i), dims=0), 235, frame) for i, frame in enumerate(clean)]
    return torch.stack(frames).to(torch.uint8)


@dataclass(eq=False)
class SnowyVideo:
    """What a task is made of: videos with a name, a length, a size, `read` and `sample`."""

    footage: FilmedPhotograph

    def __post_init__(self) -> None:
        self.name, self.size = self.footage.name, self.footage.size

    def __len__(self) -> int:
        return len(self.footage)

    def read(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Snowy and clean frames, the same at every call."""
        clean = self.footage.read(start, count)
        return snow(clean, np.random.default_rng(0), start), clean

    def sample(self, rng: np.random.Generator, count: int, crop: int) -> tuple[Tensor, Tensor]:
        """A training clip, decided by `rng` alone."""
        clean = self.footage.sample(rng, count, crop)
        return snow(clean, rng), clean


class Snow(TaskSource):
    """What the configuration names.

    Args:
        frames: of each test film.
    """

    def __init__(self, frames: int = 8) -> None:
        self.frames = frames

    def task(self, seed: int) -> Task:
        """Films of photographs that come with scikit-image and scikit-learn."""
        films = {
            name: SnowyVideo(FilmedPhotograph(name, picture, size=(96, 96), length=self.frames))
            for name, picture in bundled_photographs().items()
        }
        return Task("snow", [f for n, f in films.items() if n not in TEST], [films[name] for name in TEST])


class Anchor(SupervisedPlugin):
    """Adds the squared distance to where the last task left the weights, times `strength`, to the loss.

    It runs in Avalanche's own loop too.

    Args:
        strength: of the pull.
    """

    def __init__(self, strength: float = 0.1) -> None:
        super().__init__()
        self.strength = strength
        self.old: list[Tensor] = []
        self.terms: dict[str, Tensor] = {}  # logged by name

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Nothing during the first task."""
        if self.old:
            pairs = zip(strategy.model.parameters(), self.old, strict=True)
            pull = self.strength * torch.stack([(now - old).square().sum() for now, old in pairs]).sum()
            strategy.loss = strategy.loss + pull
            self.terms = {"anchor": pull.detach()}

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Here is where the weights are now."""
        self.old = [parameter.detach().clone() for parameter in strategy.model.parameters()]

    def state_dict(self) -> dict[str, Any]:
        """For checkpoints: with it, an interrupted run goes on."""
        return {"old": self.old}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Back from a checkpoint."""
        self.old = state["old"]
