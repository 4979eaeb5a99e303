"""What a run is made of: its options, each documented here, and their defaults."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from avalanche.core import SupervisedPlugin
from torch import nn

from raincheck.datasets.augment import Augment
from raincheck.datasets.base import TaskSource
from raincheck.datasets.held import LIMIT
from raincheck.errors import ConfigError
from raincheck.networks import ClipNetwork
from raincheck.ways import Learn

# Not defaults of `RunConfig` itself: there they would be objects, which no YAML file can hold.
DEFAULTS = {
    "network": {"class_path": "raincheck.networks.RRGNet"},
    "loss": {"class_path": "raincheck.losses.StructureLoss"},
    "optimizer": {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.001}},
}

Optimizers = Callable[[Iterable[torch.nn.Parameter]], torch.optim.Optimizer]


@dataclass
class StreamConfig:
    """The rain types to learn, in order.

    Args:
        tasks: data sets, one a rain type.
        crop: height and width of a training clip in pixels.
        steps: optimizer steps a task.
        learn: `in_turn`, one task after another. Bounds to measure methods by: `joint`, all tasks at once, in as many
            steps as in turn; `cumulative`, in turn, with all data so far in each task's steps; `individual`, an expert
            for each task, from the first weights.
        order: positions in `tasks`, in learning order, such as [2, 0, 1]; by default as they are listed.
        root: folder that the tasks' relative paths are taken from; by default the working directory.
        augment: how training clips vary besides their crop, rainy and clean alike.
        held: most bytes of decoded training frames to keep in memory, over all tasks and workers. Clips of footage that
            does not fit are decoded each time they are read. It changes no number.
    """

    tasks: list[TaskSource]
    crop: int = 64
    steps: int = 600
    learn: Learn = "in_turn"
    order: list[int] | None = None
    root: str | None = None
    augment: Augment = field(default_factory=Augment)
    held: int = LIMIT

    def __post_init__(self) -> None:
        """Checks the numbers, puts the tasks in order, and tells them where their data are."""
        if self.crop < 1 or self.steps < 1 or self.held < 0:
            raise ConfigError(
                f"stream.crop and stream.steps must be 1 or more and stream.held 0 or more, not {self.crop}, "
                f"{self.steps} and {self.held}"
            )
        if self.order is not None:
            if sorted(self.order) != list(range(len(self.tasks))):
                raise ConfigError(
                    f"stream.order must name each of the positions 0 to {len(self.tasks) - 1} once, not {self.order}"
                )
            self.tasks = [self.tasks[position] for position in self.order]
        if self.root is not None:
            for task in self.tasks:
                task.rebase(Path(self.root))


@dataclass
class RunConfig:
    """One method on one stream.

    Args:
        stream: what is learned.
        network: learns it; its `window` decides the length of the clips.
        loss: between output and clean centre frame.
        optimizer: made anew, with fresh state, for every task.
        method: what the method is called in reports.
        plugins: the method: what happens besides minimising the loss.
        batch: new clips a step; reviewed clips come on top.
        seed: everything random is a function of it.
        workers: processes that prepare clips; how many there are changes no number. By default a quarter of the cores
            where the CPU learns, but 1 at least unless there is only one core; on other devices one less than there
            are cores, but 1 at least; 8 at most. Where several processes learn, each counts its share of the cores.
            With fewer than four, a process that keeps clips for the next cell of a grid prepares them itself.
        save_every: seconds between checkpoints while a task is learned; a run that is killed goes on from the last one.
        trainer: arguments of `lightning.Trainer`.
        tracking: where losses and scores are logged besides report.json: csv, tensorboard, wandb (offline unless the
            environment variable WANDB_MODE is online) or none.
        weights: what the network begins with: `rrgnet` or `rrgnet-small` (shipped), a .safetensors file or the folder
            of a run, of a network of the same class and arguments; by default it begins with random ones.
    """

    stream: StreamConfig
    network: ClipNetwork
    loss: nn.Module
    optimizer: Optimizers
    method: str = "finetune"
    plugins: list[SupervisedPlugin] = field(default_factory=list)
    batch: int = 8
    seed: int = 0
    workers: int | None = None
    save_every: float = 60.0
    trainer: dict[str, Any] = field(default_factory=dict)
    tracking: str = "csv"
    weights: str | None = None

    def __post_init__(self) -> None:
        """Checks the numbers."""
        if self.batch < 1 or min(self.seed, self.workers or 0, self.save_every) < 0:
            raise ConfigError(
                f"batch must be 1 or more, seed, workers and save_every 0 or more, not {self.batch}, {self.seed}, "
                f"{self.workers} and {self.save_every}"
            )
