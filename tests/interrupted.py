"""Learning that is interrupted at a given event, and taken up again."""

import random
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from raincheck.generators import generators
from raincheck.networks import RRGNet
from raincheck.plugins import EWC, Distillation, RainReview
from raincheck.strategy import LightningStrategy
from tinytasks import tiny_stream


class Remembering(SupervisedPlugin):
    """A plugin that a checkpoint can hold, without any memory."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to remember."""


class Interrupt(Remembering):
    """Ends the program at the n-th call of an event."""

    def __init__(self, event: str = "", call: int = 0) -> None:
        super().__init__()
        self.event, self.call, self.calls = event, call, 0
        if event:
            setattr(self, event, self._count)

    def _count(self, strategy: Any, **kwargs: Any) -> None:
        self.calls += 1
        if self.calls == self.call:
            raise SystemError(self.event)


class Forgetful(nn.Module):
    """A network that draws random numbers in each step."""

    def __init__(self) -> None:
        super().__init__()
        self.network, self.dropout = RRGNet(window=3, width=4), nn.Dropout(0.2)

    def forward(self, rainy: Tensor) -> Tensor:
        derained: Tensor = self.dropout(self.network(rainy))
        return derained


def learn(
    folder: Path | None,
    event: str = "",
    call: int = 0,
    *,
    plugins: Callable[[], Sequence[Any]] = list,
    stream: Callable[[], Any] = tiny_stream,
    workers: int = 0,
    epochs: int = 2,
    trainer: Callable[[], dict[str, Any]] = dict,
    save_every: float = 0.0,
    kind: type = LightningStrategy,
    criterion: type[nn.Module] = nn.L1Loss,
    network: type[nn.Module] = Forgetful,
    optimizer: type[torch.optim.Optimizer] = torch.optim.Adam,
) -> dict[str, Any]:
    """Learns the tiny stream, from where `folder` says, and returns all that is left in the end."""
    torch.manual_seed(1)
    model = network()
    strategy = kind(
        model=model,
        optimizer=optimizer(model.parameters(), lr=3e-3),
        criterion=criterion(),
        train_mb_size=4,
        eval_mb_size=1,
        train_epochs=epochs,
        evaluator=None,
        plugins=[*plugins(), Interrupt(event, call)],
        checkpoints=folder,
        save_every=save_every,
        trainer=(arguments := trainer()),
    )
    torch.manual_seed(2)
    random.seed(2)
    np.random.seed(2)
    rows = (strategy.resume() or {"rows": []})["rows"]
    scenario = stream()
    for experience in scenario.train_stream[strategy.clock.train_exp_counter :]:
        strategy.train(experience, num_workers=workers, shuffle=True)
        strategy.eval(scenario.test_stream)
        rows = [*rows, float(strategy.loss)]
        strategy.save(rows=rows)
    return {
        "weights": model.state_dict(),
        "optimizer": strategy.optimizer.state_dict()["state"],
        "plugins": [plugin.state_dict() for plugin in strategy.plugins if hasattr(plugin, "state_dict")],
        "clock": dict(vars(strategy.clock)),
        "rows": rows,
        "generators": generators(),
        "seen": [callback.state_dict() for callback in arguments.get("callbacks", [])],
    }


def equal(one: Any, other: Any) -> bool:
    """Whether two nests of tensors and primitives are equal, bit for bit."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def rrgnet() -> list[Any]:
    return [Distillation(review=1.0, new=0.3), RainReview(budget=60_000, batch=2), EWC(0.1)]


@cache
def undisturbed(**kwargs: Any) -> dict[str, Any]:
    """The same without interruption, and without checkpoints."""
    return learn(None, **kwargs)


def check(tmp_path: Path, event: str, call: int, **kwargs: Any) -> None:
    with pytest.raises(SystemError, match=event):
        learn(tmp_path / "broken", event, call, **kwargs)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="training goes on from .* though it began with other")
        resumed = learn(tmp_path / "broken", **kwargs)
    whole = undisturbed(**kwargs)
    assert {name: equal(kept, whole[name]) for name, kept in resumed.items()} == dict.fromkeys(whole, True)
    assert [path.name for path in (tmp_path / "broken").iterdir()] == ["last.ckpt"]
