"""Tiny rain types in memory, and streams of them learned in a second: by Lightning's loop and by Avalanche's."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from avalanche.core import SupervisedPlugin
from avalanche.training.templates import SupervisedTemplate
from torch import Tensor, nn

from raincheck.datasets.base import Task, TaskSource, random_window
from raincheck.networks import RRGNet
from raincheck.strategy import LightningStrategy
from raincheck.streams import rain_stream

KINDS = ("veil", "streaks", "drops")


@dataclass(eq=False)
class TinyVideo:
    """Seven frames of 32x32 under one of three clearly different rains."""

    name: str
    rainy: Tensor
    clean: Tensor

    def __len__(self) -> int:
        return len(self.clean)

    @property
    def size(self) -> tuple[int, int]:
        return self.clean.shape[-2], self.clean.shape[-1]

    def read(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        return self.rainy[start : start + count], self.clean[start : start + count]

    def sample(self, rng: np.random.Generator, count: int, crop: int) -> tuple[Tensor, Tensor]:
        start, top, left = random_window(rng, len(self), self.size, count, crop, self.name)
        window = (..., slice(top, top + crop), slice(left, left + crop))
        rainy, clean = self.read(start, count)
        return rainy[window], clean[window]


def tiny_video(kind: str, seed: int, frames: int = 7) -> TinyVideo:
    """A drifting pattern of soft colours, and the same under a rain."""
    rng = np.random.default_rng(seed)
    phase, slope = rng.uniform(0, 6, 3), rng.uniform(0.1, 0.4, 3)
    t, c, y, x = np.ogrid[:frames, :3, :32, :32]
    clean = 90 + 50 * np.sin(slope[c] * (x + 2 * t) + phase[c]) * np.cos(slope[c] * y)
    noise = rng.random((frames, 1, 32, 32))
    layers = {
        "veil": 0.45 * (235 - clean),
        "streaks": 90.0 * (noise[..., :1, :] < 0.25) + 0 * clean,
        "drops": -70.0 * (noise < 0.3) + 0 * clean,
    }
    pixels = [torch.from_numpy(frame.clip(0, 255).round().astype(np.uint8)) for frame in (clean + layers[kind], clean)]
    return TinyVideo(f"{kind}-{seed}", *pixels)


def tiny_task(kind: str, test_lengths: Sequence[int] = (7, 4)) -> Task:
    """Three videos to learn from, and test videos of the given lengths."""
    tests = [tiny_video(kind, 100 + i, length) for i, length in enumerate(test_lengths)]
    return Task(kind, [tiny_video(kind, seed) for seed in range(3)], tests)


def tiny_tasks() -> list[Task]:
    return [tiny_task(kind) for kind in KINDS]


class TinyRain(TaskSource):
    """What a configuration names.

    Args:
        kind: veil, streaks or drops.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def task(self, seed: int) -> Task:
        return tiny_task(self.kind)


class Strike(SupervisedPlugin):
    """Ends a run in the middle of an experience, as a power cut would, or spoils its loss.

    Args:
        experience: when.
        step: of the experience.
    """

    armed = True  # a class attribute, because a configuration builds the plugin anew

    def __init__(self, experience: int = 1, step: int = 2) -> None:
        super().__init__()
        self.experience, self.step = experience, step

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        if self.armed and (strategy.clock.train_exp_counter, strategy.clock.train_exp_iterations) == (
            self.experience,
            self.step,
        ):
            raise SystemError("struck by lightning")

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to remember, and so nothing that a checkpoint could lack."""


def tiny_stream(samples: int = 24, tasks: Sequence[Task] | None = None, **kwargs: Any) -> Any:
    return rain_stream(tasks or tiny_tasks(), window=3, crop=16, samples=samples, **kwargs)


class LossLog(SupervisedPlugin):
    """The loss of every step."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        self.losses.append(float(strategy.loss))


@dataclass
class Learned:
    """What is left of learning."""

    strategy: Any
    stream: Any
    losses: list[float]

    @property
    def state(self) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.strategy.model.state_dict()
        return state


def learn(
    plugins: Callable[[], Sequence[Any]] = list,
    loop: type = LightningStrategy,
    *,
    stream: Any = None,
    criterion: nn.Module | None = None,
    lr: float = 3e-3,
    **kwargs: Any,
) -> Learned:
    """Learns the tiny stream with RRGNet."""
    torch.manual_seed(1)
    model = RRGNet(window=3, width=4)
    log, stream = LossLog(), stream or tiny_stream()
    strategy = loop(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr),
        criterion=criterion or nn.L1Loss(),
        train_mb_size=4,
        eval_mb_size=1,
        evaluator=None,
        plugins=[*plugins(), log],
        **kwargs,
    )
    torch.manual_seed(2)
    random.seed(2)
    for experience in stream.train_stream:
        strategy.train(experience, shuffle=False)
    return Learned(strategy, stream, log.losses)


def learn_in_avalanche(plugins: Callable[[], Sequence[Any]] = list, **kwargs: Any) -> Learned:
    """The same in Avalanche's own loop."""
    return learn(plugins, SupervisedTemplate, **kwargs)


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two states are equal, bit for bit."""
    return first.keys() == second.keys() and all(torch.equal(first[key], value) for key, value in second.items())
