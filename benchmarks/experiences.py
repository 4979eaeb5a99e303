"""What a run costs as its experiences become many: nothing should grow that need not.

A tiny RRGNet learns a stream of tasks of a few steps each, with LightningStrategy, and is evaluated on each task after
learning it (a run evaluates on all tasks, which is quadratic in their number by its protocol). All tasks share one data
set in memory, so that what grows is not the data. Every method runs in a process of its own.

First and last are the times of early and late experiences, each the median of five; the ratio is between them. MB is
what the process has grown by since the second experience. State is the size of a checkpoint of network and plugins;
`stock ewc` is Avalanche's EWCPlugin in its separate mode, whose state is counted as if it could be saved.

    python benchmarks/experiences.py [--experiences 10 100] [--repeats 3] [--save]
"""

import argparse
import gc
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.plugins import EWCPlugin
from lightning.pytorch import Trainer
from torch import Tensor, nn
from torch.utils.data import Dataset

from learners import quiet
from memory import resident
from raincheck.networks import RRGNet
from raincheck.plugins import EWC, Distillation, RainReview
from raincheck.strategy import LightningStrategy
from results import Measured, options_parser, save_if_asked

WINDOW, WIDTH, CROP, BATCH, STEPS = 3, 8, 16, 4, 4
METHODS: dict[str, Callable[[], list[Any]]] = {
    "finetune": list,
    "rrgnet": lambda: [RainReview(budget=2**19), Distillation()],
    "ewc": lambda: [EWC()],
    "stock ewc": lambda: [EWCPlugin(1.0)],
}
FEW = 5  # early and late experiences whose median time counts


class Labelled(Dataset[tuple[Tensor, Tensor, int]]):
    """The same clips for every task, with the task's label."""

    def __init__(self, rainy: Tensor, clean: Tensor, label: int) -> None:
        self.rainy, self.clean, self.label = rainy, clean, label

    def __len__(self) -> int:
        return len(self.rainy)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        return self.rainy[index], self.clean[index], self.label


def stream(experiences: int) -> Any:
    """A benchmark of so many tasks."""
    torch.manual_seed(0)
    rainy, clean = torch.rand(STEPS * BATCH, WINDOW, 3, CROP, CROP), torch.rand(STEPS * BATCH, 3, CROP, CROP)
    data = [AvalancheDataset([Labelled(rainy, clean, label)]) for label in range(experiences)]
    return benchmark_from_datasets(train=data, test=data)


def learn(method: str, experiences: int) -> dict[str, float]:
    """Learns the stream in this process, which must be fresh."""
    torch.manual_seed(0)
    network, benchmark = RRGNet(WINDOW, WIDTH), stream(experiences)
    strategy = LightningStrategy(
        model=network,
        optimizer=torch.optim.Adam(network.parameters()),
        criterion=nn.L1Loss(),
        train_mb_size=BATCH,
        eval_mb_size=BATCH,
        plugins=METHODS[method](),
        evaluator=None,
        reset_optimizer=True,
    )
    training, evaluating, memory = [], [], []
    for train, test in zip(benchmark.train_stream, benchmark.test_stream, strict=True):
        began = time.perf_counter()
        strategy.train(train, shuffle=False)
        learned = time.perf_counter()
        strategy.eval(test)
        training.append(learned - began)
        evaluating.append(time.perf_counter() - learned)
        memory.append(resident())
    gc.collect()
    return {
        "first": median(training[1 : 1 + FEW]),  # the very first also loads code
        "last": median(training[-FEW:]),
        "evaluation": median(evaluating[-FEW:]),
        "grown": memory[-1] - memory[1],
        "state": state_size(strategy),
        "trainers": sum(issubclass(type(thing), Trainer) for thing in gc.get_objects()),
    }


def state_size(strategy: LightningStrategy) -> int:
    """Bytes of what the next experience needs."""
    plugins = [
        {kind: tensors(getattr(plugin, kind)) for kind in ("saved_params", "importances")}
        if type(plugin) is EWCPlugin
        else plugin.state_dict()
        for plugin in strategy.plugins
        if type(plugin) is EWCPlugin or hasattr(plugin, "state_dict")
    ]
    buffer = io.BytesIO()
    torch.save({"network": strategy.model.state_dict(), "plugins": plugins}, buffer)
    return buffer.tell()


def tensors(kept: dict[int, dict[str, Any]]) -> dict[int, dict[str, Tensor]]:
    """What EWCPlugin keeps, without its wrapping."""
    return {task: {name: value.data for name, value in values.items()} for task, values in kept.items()}


def measure(method: str, experiences: int, repeats: int) -> list[str]:
    """A row: medians over processes."""
    command = [sys.executable, __file__, "--one", method, "--experiences", str(experiences)]
    found = []
    for _ in range(repeats):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    middle = {name: median(one[name] for one in found) for name in found[0]}
    return [
        f"{method}, {experiences}",
        f"{1e3 * middle['first']:.0f}",
        f"{1e3 * middle['last']:.0f}",
        f"{middle['last'] / middle['first']:.2f}",
        f"{1e3 * middle['evaluation']:.0f}",
        f"{middle['grown']:.1f}",
        f"{middle['state'] / 1e3:.0f}",
        f"{middle['trainers']:.0f}",
    ]


def main() -> None:
    parser = options_parser(__doc__)
    parser.add_argument("--experiences", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", choices=list(METHODS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    quiet()
    if options.one:
        print(json.dumps(learn(options.one, options.experiences[0])))
        return
    table = Measured(
        f"Experiences of {STEPS} steps, RRGNet of width {WIDTH}, median of {options.repeats}",
        [
            "method, experiences",
            "ms first",
            "ms last",
            "ratio",
            "ms eval",
            "MB",
            "kB state",
            "Trainers",
        ],
        [measure(method, count, options.repeats) for method in METHODS for count in options.experiences],
    )
    table.show()
    save_if_asked(options, table)


if __name__ == "__main__":
    main()
