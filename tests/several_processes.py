"""What tests/test_several_processes.py starts: `python several_processes.py OUT DEVICES` learns every case.

Each process writes what it ended with to OUT/<rank>.pt: by case the weights, the losses, what it drew from the global
generator afterwards, what it loaded in each epoch, and what its plugins remember.
"""

import os
import random
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.core import SupervisedPlugin
from avalanche.evaluation.metrics import loss_metrics
from avalanche.training.plugins import (
    AGEMPlugin,
    EvaluationPlugin,
    GEMPlugin,
    LRSchedulerPlugin,
    ReplayPlugin,
    RWalkPlugin,
    SynapticIntelligencePlugin,
)
from torch import Tensor, nn
from torch.utils.data import Dataset

from raincheck.errors import ConfigError
from raincheck.plugins import (
    AGEM,
    DER,
    EWC,
    GEM,
    MAS,
    PIGWM,
    SI,
    CosineSchedule,
    Distillation,
    RainReview,
    WeightAveraging,
)
from raincheck.processes import joined
from raincheck.strategy import LightningStrategy
from watched import watch

ROWS, EPOCHS, BATCH = 13, 3, 5  # the last batch has 3 rows, which two processes cannot halve
CLIP = 3 * 2 * 4 * 4 + 2 * 4 * 4  # bytes of a clip in review

warnings.filterwarnings("ignore")


class Clips(Dataset[tuple[Tensor, Tensor, int]]):
    """Clips that note who asks for them."""

    def __init__(self, task: int, rows: int) -> None:
        generator = torch.Generator().manual_seed(task)
        self.rainy = torch.rand(rows, 3, 2, 4, 4, generator=generator)
        self.clean, self.task = self.rainy[:, 1] * 0.5 + 0.1 * task, task
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.rainy)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        self.asked.append(index)
        return self.rainy[index], self.clean[index], self.task


class Network(nn.Module):
    """Three frames in, one out."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.first, self.last, self.dropout = nn.Conv2d(6, 5, 3, padding=1), nn.Conv2d(5, 2, 1), dropout

    def forward(self, rainy: Tensor) -> Tensor:
        return self.last(torch.dropout(torch.tanh(self.first(rainy.flatten(1, 2))), self.dropout, self.training))


class Notes(SupervisedPlugin):
    """Losses, and what was loaded for them."""

    def __init__(self, clips: list[Clips]) -> None:
        super().__init__()
        self.clips = clips
        self.losses: list[float] = []
        self.epochs: list[list[int]] = []

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        self.losses.append(float(strategy.loss))

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        self.clips[strategy.clock.train_exp_counter].asked.clear()

    def after_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        self.epochs.append(list(self.clips[strategy.clock.train_exp_counter].asked))


def review() -> list[Any]:
    return [RainReview(4 * CLIP, batch=3), Distillation(0.5, 0.25)]


CASES: dict[str, Any] = {
    "naive": lambda _: [],
    "dropout": lambda _: [],
    "review": lambda _: review(),
    "ewc": lambda _: [EWC(0.01, clips=9)],
    "si": lambda _: [SynapticIntelligencePlugin(1.0)],
    "replay": lambda _: [ReplayPlugin(6)],
    "agem": lambda _: [AGEMPlugin(4, 4)],
    "gem": lambda _: [GEMPlugin(4, 0.5)],
    "own si": lambda _: [SI(0.1)],
    "own agem": lambda _: [AGEM(4 * CLIP, batch=3)],
    "own gem": lambda _: [GEM(0.5, 4 * CLIP, batch=3)],
    "der": lambda _: [DER(0.5, 0.5, 4 * 2 * CLIP, batch=3)],
    "mas": lambda _: [MAS(0.1, clips=9)],
    "pigwm": lambda _: [PIGWM(0.1, clips=9)],
    "averaging": lambda _: [WeightAveraging(0.8), CosineSchedule()],
    "schedule": lambda o: [LRSchedulerPlugin(torch.optim.lr_scheduler.StepLR(o, 2), step_granularity="iteration")],
    "batch of 1": lambda _: review(),
    "accumulated": lambda _: [],
    "workers": lambda _: [],
}


class Differentiates(SupervisedPlugin):
    """As MIR does: a gradient of its own, of a loss of which each process has a part."""

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        torch.autograd.grad(strategy.loss, list(strategy.model.parameters()), retain_graph=True)


class Mixes(SupervisedPlugin):
    """Mixes the pictures of a batch, each process in an order of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = np.random.default_rng(os.getpid())

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        order = self.numbers.permutation(len(strategy.mb_y))
        strategy.mbatch[1] = 0.5 * strategy.mb_y + 0.5 * strategy.mb_y[order] * torch.rand(())


REFUSED: dict[str, Any] = {
    "differentiates": lambda _: [Differentiates()],
    "rwalk": lambda _: [RWalkPlugin(delta_t=2)],
    "mixes": lambda _: [Mixes()],
}


def refusal(case: str, devices: int) -> str:
    """What a case that several processes can't learn is refused with."""
    try:
        learn(case, devices)
    except ConfigError as error:
        return str(error)
    return "learned"


def learn(case: str, devices: int) -> dict[str, Any]:
    """One case, with a seed that only the first process knows."""
    first = os.environ.get("LOCAL_RANK", "0") == "0"
    torch.manual_seed(1 if first else 100)
    model = Network(dropout=0.1 if case == "dropout" else 0.0)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    tasks = [Clips(task, ROWS) for task in range(2)]
    stream = benchmark_from_datasets(
        train=[AvalancheDataset([clips]) for clips in tasks], test=[AvalancheDataset([Clips(9, 7)])]
    )
    notes, plugins = Notes(tasks), {**CASES, **REFUSED}[case](optimizer)
    evaluator = EvaluationPlugin(loss_metrics(minibatch=True, epoch=True, experience=True, stream=True))
    trainer = {"accelerator": "cpu", "devices": devices, **({"strategy": "ddp"} if devices > 1 else {})}
    strategy = LightningStrategy(
        model=model,
        optimizer=optimizer,
        criterion=nn.MSELoss(),
        train_mb_size=1 if case == "batch of 1" else BATCH,
        train_epochs=EPOCHS,
        eval_mb_size=4,
        eval_every=1,
        plugins=[*plugins, notes],
        evaluator=evaluator,
        trainer={**trainer, **({"accumulate_grad_batches": 2} if case == "accumulated" else {})},
    )
    for draw in (torch.manual_seed, random.seed, np.random.seed):
        draw(2 if first else 200)
    for experience in stream.train_stream:
        strategy.train(experience, eval_streams=[stream.test_stream], num_workers=int(case == "workers"))
    return {
        "weights": model.state_dict(),
        "losses": notes.losses,
        "drawn": torch.rand(2),
        "epochs": notes.epochs,
        "memories": [plugin.state_dict() for plugin in plugins if hasattr(plugin, "state_dict")],
        "metrics": {name: values[1] for name, values in evaluator.get_all_metrics().items()},
    }


if __name__ == "__main__":
    watch()
    torch.set_default_dtype(torch.float64)  # so that nothing but the order of additions can differ
    found: dict[str, Any] = {case: learn(case, int(sys.argv[2])) for case in CASES}
    found |= {case: refusal(case, int(sys.argv[2])) for case in REFUSED}
    torch.save(found, Path(sys.argv[1]) / f"{os.environ.get('LOCAL_RANK', '0')}.pt")
    if joined():
        torch.distributed.barrier()  # with the first process the others end, whatever they are writing
