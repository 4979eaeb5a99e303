"""What a run is made of, and how YAML files and command-line options become one."""

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import torch
import yaml
from avalanche.core import SupervisedPlugin
from jsonargparse import ArgumentError, ArgumentParser, Namespace
from torch import nn

from raincheck import plain_yaml, plugin_options
from raincheck.datasets.augment import Augment
from raincheck.datasets.base import TaskSource
from raincheck.datasets.held import LIMIT
from raincheck.errors import ConfigError, one_line
from raincheck.networks import ClipNetwork
from raincheck.streams import Learn
from raincheck.trust import NESTING, check_class, named_classes

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
            where the CPU learns, so none on two or three; on other devices one less than there are cores, but 1 at
            least; 8 at most. Where several processes learn, each counts its share of the cores.
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


def parser() -> ArgumentParser:
    """The parser of a run's options; every one is documented by `RunConfig`."""
    made = ArgumentParser(
        prog="raincheck run", exit_on_error=False, allow_abbrev=False, description="Learn a stream of rain types."
    )
    made.add_argument("--config", action="config", help="A YAML file; several are merged, the last one wins.")
    # Of stock plugins some arguments have no type: they are taken as they are.
    made.add_class_arguments(RunConfig, sub_configs=False, fail_untyped=False)
    made.set_defaults(DEFAULTS)
    return made


def parse(arguments: Sequence[str], trust: bool = False) -> Namespace:
    """Reads options into a checked and resolved configuration; none of its objects is built yet.

    Args:
        arguments: as on the command line, such as `["--config", "a.yaml", "--seed", "3"]`; options that change a plugin
            by its name, `--plugins.RainReview.batch 4`, come last wherever they stand.
        trust: allow classes of packages other than raincheck, Avalanche, Lightning and torch.

    Raises:
        ConfigError: for a file that is missing or no YAML, an unknown option, a wrong type, or a class that does not
            exist or is not trusted.
    """
    try:
        rest, changes = plugin_options.split(arguments, trust)
        check_classes(rest, trust)
        config = parser().parse_args(rest)
        if changes:
            settings = yaml.safe_load(dump(config))
            plugin_options.change(settings, changes)
            config = parser().parse_object(settings)
    except (ArgumentError, ValueError, TypeError) as error:
        raise ConfigError(one_line(error)) from None
    except RecursionError:
        raise ConfigError("the configuration is nested too deeply or contains itself; write it flat") from None
    check_given(config)
    return config


def check_given(config: Namespace) -> None:
    """Checks the options that are needed before there are objects, which check all others.

    Raises:
        ConfigError: if the seed is negative, or an option is null that needs a value.
    """
    needed = (name for name, made in RunConfig.__dataclass_fields__.items() if type(None) not in get_args(made.type))
    if null := next((name for name in needed if config[name] is None), None):
        raise ConfigError(f"{null} is null; give it a value, or leave it out")
    if config.seed < 0:
        raise ConfigError(f"seed must be 0 or more, not {config.seed}")


def build(config: Namespace) -> RunConfig:
    """Makes the objects that a configuration names; networks draw their first weights from the global generator.

    Raises:
        ConfigError: if a class does not take its arguments' values.
    """
    try:
        made = parser().instantiate_classes(config)
    except (ArgumentError, ValueError, TypeError) as error:
        raise ConfigError(one_line(error)) from None
    return RunConfig(**{name: made[name] for name in RunConfig.__dataclass_fields__})


def dump(config: Namespace) -> str:
    """The resolved configuration as YAML, from which the run can be repeated."""
    plain = config.clone()
    plain.pop("config", None)
    text: str = parser().dump(plain, skip_validation=True)
    return text


def check_classes(arguments: Sequence[str], trust: bool) -> None:
    """Looks at every class that files and options name, before any of them is imported.

    Raises:
        ConfigError: naming the class that is not trusted or does not exist, and the nearest one that does.
    """
    tokens = [part for token in arguments for part in token.split("=", 1 if token.startswith("--") else 0)]
    for option, value in itertools.pairwise([*tokens, ""]):
        if option == "--config":
            for path in named_classes(read_yaml(Path(value))):
                check_class(path, trust, f" in {value}")
        elif option.startswith("--"):
            keys = option[2:].rstrip("+").split(".")
            for path in named_classes("" if value.startswith("--") else value, keys[-1], not NESTING.isdisjoint(keys)):
                check_class(path, trust, "")


def read_yaml(path: Path) -> Any:
    """A YAML file's content.

    Raises:
        ConfigError: if it is missing or no YAML, contains itself, or has a key twice.
    """
    try:
        content = plain_yaml.load(path.read_text(encoding="utf-8"), path)
        json.dumps(content, default=str, skipkeys=True)  # raises ValueError for what contains itself
        return content
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:  # ValueError: no UTF-8, no such date
        raise ConfigError(f"cannot read the configuration {path}: {one_line(error)}; give a YAML file") from None
