"""What comparisons with Avalanche's own loop share: a classification stream, learning with a recorder, equality."""

import random
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import torch
from avalanche.benchmarks import nc_benchmark
from avalanche.core import SupervisedPlugin
from avalanche.models import SimpleMLP
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from raincheck.strategy import LightningLoop
from tinytasks import same

MLP = {"input_size": 10, "hidden_size": 16}  # of the stream's pictures

Setting = dict[str, Any]
"""Arguments of a strategy, and what `learn` makes some of them from: see there."""


class Recorder(SupervisedPlugin):
    """Writes down every hook with the clock and the loss as they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[Any, ...]] = []

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith(("before_", "after_")):
            return super().__getattribute__(name)
        return lambda strategy, **kwargs: self.events.append((name, vars(strategy.clock).copy(), float(strategy.loss)))


class StopAfterThree(SupervisedPlugin):
    """Stops in the middle of the first epoch of every experience."""

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_iterations == 2:
            strategy.stop_training()


def classes(heads: int = 1) -> Any:
    """Six classes of pictures 1x2x5 in three experiences; with more than one head they have task labels."""
    generator = torch.Generator().manual_seed(0)

    def data(n: int) -> TensorDataset:
        labels = torch.arange(n) % 6
        dataset = TensorDataset(torch.rand(n, 1, 2, 5, generator=generator) + labels.view(-1, 1, 1, 1) / 6, labels)
        dataset.targets = labels.tolist()  # type: ignore[attr-defined]
        return dataset

    return nc_benchmark(data(72), data(36), n_experiences=3, task_labels=heads > 1, shuffle=False, seed=1)


def mlp() -> nn.Module:
    return SimpleMLP(num_classes=6, hidden_layers=1, drop_rate=0.1, **MLP)


@dataclass
class Learned:
    """What learning left behind: the last weights, every hook in order, and the next number of the global generator."""

    weights: dict[str, Tensor]
    events: list[tuple[Any, ...]]
    drawn: Tensor
    learner: Any


def learn(strategy: type, setting: Setting | None = None, **more: Any) -> Learned:
    """Trains on each experience in turn, and evaluates all after each.

    Args:
        strategy: its class.
        setting: its arguments, over those of a small classification. These are functions: `stream`, `model`,
            `optimizer` (of parameters), `beside` (more plugins, of model and optimizer) and `extra` (more arguments, of
            the model). `joint` trains on all experiences at once.
        **more: as `setting`.
    """
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # what strategies and plugins draw from
    arguments: Setting = {
        "stream": classes,
        "model": mlp,
        "optimizer": lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9),
        "criterion": nn.CrossEntropyLoss(),
        "train_mb_size": 6,
        "train_epochs": 2,
        "eval_mb_size": 6,
        "evaluator": None,
        **(setting or {}),
        **more,
    }
    stream, model = arguments.pop("stream")(), arguments.pop("model")()
    optimizer = arguments.pop("optimizer")(model.parameters())
    joint, recorder = arguments.pop("joint", False), Recorder()
    plugins = [*arguments.pop("beside", lambda *_: [])(model, optimizer), recorder]
    arguments |= {"model": model, "optimizer": optimizer} | arguments.pop("extra", lambda _: {})(model)
    learner = strategy(plugins=plugins, **_taken(strategy, arguments))
    for experience in [stream.train_stream] if joint else stream.train_stream:
        learner.train(experience, eval_streams=[stream.test_stream])
        learner.eval(stream.test_stream)
    return Learned(learner.model.state_dict(), recorder.events, torch.rand(1), learner)


def _taken(strategy: type, arguments: Setting) -> Setting:
    """The arguments that a strategy takes: some bring a criterion, or name the number of epochs otherwise."""
    theirs = next(
        c for c in strategy.__mro__ if c is not LightningLoop and "train_mb_size" in signature(c.__init__).parameters
    )
    taken = {*signature(theirs.__init__).parameters, "trainer", "reset_optimizer"}
    return {name: value for name, value in arguments.items() if name in taken}


def assert_same(ours: Learned, theirs: Learned) -> None:
    """Two loops did the same, bit for bit; a loss or weight that is not a number is not the same as another."""
    assert ours.events == theirs.events  # hooks, clock, losses, in order
    assert same(ours.weights, theirs.weights)
    assert theirs.weights
    assert torch.equal(ours.drawn, theirs.drawn)  # the global generator has been drawn from equally often
