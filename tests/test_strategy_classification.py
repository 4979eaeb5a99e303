"""Stock plugins that want labels: LightningStrategy against Avalanche's own loop on a small classification stream."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from avalanche.benchmarks import nc_benchmark
from avalanche.core import SupervisedPlugin
from avalanche.models import MTSimpleMLP, SimpleMLP
from avalanche.training.plugins import (
    AGEMPlugin,
    CWRStarPlugin,
    EWCPlugin,
    FromScratchTrainingPlugin,
    GDumbPlugin,
    GEMPlugin,
    LFLPlugin,
    LwFPlugin,
    MASPlugin,
    MIRPlugin,
    ReplayPlugin,
    RWalkPlugin,
    SynapticIntelligencePlugin,
)
from avalanche.training.templates import SupervisedTemplate
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from raincheck.strategy import LightningStrategy

PLUGINS: dict[str, Any] = {
    "naive": lambda _: [],
    "lwf": lambda _: [LwFPlugin()],
    "ewc": lambda _: [EWCPlugin(10)],
    "si": lambda _: [SynapticIntelligencePlugin(1.0)],
    "mas": lambda _: [MASPlugin()],
    "rwalk": lambda _: [RWalkPlugin(delta_t=2)],
    "replay": lambda _: [ReplayPlugin(12)],
    "gdumb": lambda _: [GDumbPlugin(12)],
    "mir": lambda _: [MIRPlugin(batch_size_mem=4, mem_size=12, subsample=8)],
    "agem": lambda _: [AGEMPlugin(6, 6)],
    "gem": lambda _: [GEMPlugin(6, 0.5)],
    "from scratch": lambda _: [FromScratchTrainingPlugin()],
    "lwf and replay": lambda _: [LwFPlugin(), ReplayPlugin(12)],
}
SINGLE_HEAD: dict[str, Any] = {"cwr*": lambda m: [CWRStarPlugin(m)], "lfl": lambda _: [LFLPlugin(0.1)]}
CASES = [(name, heads) for heads in (1, 3) for name in PLUGINS] + [(name, 1) for name in SINGLE_HEAD]


class Recorder(SupervisedPlugin):
    """Writes down every hook with the clock and the loss as they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[Any, ...]] = []

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith(("before_", "after_")):
            return super().__getattribute__(name)
        # repr, because a loss that is not a number in both loops is the same loss
        return lambda s, **kwargs: self.events.append((name, vars(s.clock).copy(), repr(float(s.loss))))


def stream(heads: int) -> Any:
    generator = torch.Generator().manual_seed(0)

    def data(n: int) -> TensorDataset:
        labels = torch.arange(n) % 6
        dataset = TensorDataset(torch.randn(n, 10, generator=generator) + labels[:, None] / 2, labels)
        dataset.targets = labels.tolist()  # type: ignore[attr-defined]
        return dataset

    return nc_benchmark(data(72), data(36), n_experiences=3, task_labels=heads > 1, shuffle=False, seed=1)


def learn(strategy: type, name: str, heads: int) -> tuple[dict[str, Tensor], list[Any], Tensor]:
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # what the plugins draw from
    mlp = {"input_size": 10, "hidden_size": 16}
    model = MTSimpleMLP(**mlp) if heads > 1 else SimpleMLP(num_classes=6, hidden_layers=1, drop_rate=0.1, **mlp)
    recorder, benchmark = Recorder(), stream(heads)
    learner = strategy(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), 0.05, momentum=0.9),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=6,
        train_epochs=2,
        eval_mb_size=6,
        plugins=[*(PLUGINS | SINGLE_HEAD)[name](model), recorder],
        evaluator=None,
    )
    for experience in benchmark.train_stream:
        learner.train(experience)
        learner.eval(benchmark.test_stream)
    return model.state_dict(), recorder.events, torch.rand(1)


@pytest.mark.parametrize(("name", "heads"), CASES)
def test_same_bits_as_avalanche(name: str, heads: int) -> None:
    theirs, ours = learn(SupervisedTemplate, name, heads), learn(LightningStrategy, name, heads)
    assert ours[1] == theirs[1]  # hooks, clock, losses, in order
    assert all(torch.equal(ours[0][key].nan_to_num(), value.nan_to_num()) for key, value in theirs[0].items())
    assert torch.equal(ours[2], theirs[2])  # the global generator has been drawn from equally often
