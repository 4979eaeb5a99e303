"""The parts of a run, put together as its configuration says: what is learned, and the strategy that learns it."""

import copy
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import torch
from lightning import Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch import nn
from torch.optim import Optimizer

from raincheck.config import RunConfig
from raincheck.datasets.base import Task
from raincheck.errors import ConfigError, one_line
from raincheck.networks.weights import check_arguments
from raincheck.plugins.finite import FiniteLoss
from raincheck.plugins.passes import Passes
from raincheck.plugins.progress import ProgressBar
from raincheck.plugins.scores import Scores
from raincheck.plugins.stopwatch import Stopwatch
from raincheck.plugins.throughput import Throughput
from raincheck.seam.callbacks import Callbacks, described
from raincheck.seam.launch import QUIET
from raincheck.strategy import LightningStrategy
from raincheck.streams import Benchmark, rain_stream
from raincheck.tracking.base import Tracker

Plugin = TypeVar("Plugin")


def make_stream(config: RunConfig, tasks: Sequence[Task]) -> Benchmark:
    """What is learned, as an Avalanche benchmark."""
    return rain_stream(
        tasks,
        window=config.network.window,
        crop=config.stream.crop,
        samples=config.stream.steps * config.batch,
        seed=config.seed,
        learn=config.stream.learn,
        augment=config.stream.augment,
    )


def make_strategy(config: RunConfig, out: Path, tracker: Tracker) -> LightningStrategy:
    """The strategy with the method's plugins, and with those that every run has; `plugin_of` finds these again.

    Raises:
        ConfigError: if the optimizer or the trainer does not take its arguments, or as `try_out`.
    """
    for plugin in config.plugins:
        if getattr(plugin, "seed", config.seed) is None:  # as its documentation says
            plugin.seed = config.seed
    # What callbacks write without being told where goes below `default_root_dir`.
    usual = {"logger": tracker.for_trainer, "log_every_n_steps": 1, "default_root_dir": out / "trainer"}
    trainer = {**usual, **described(config.trainer)}
    optimizer = _accepted(config, trainer)
    try_out(config)
    first, last = [Passes(), Stopwatch()], [FiniteLoss(), Scores(), Throughput(tracker.log_metrics)]
    return LightningStrategy(
        model=config.network,
        optimizer=optimizer,
        criterion=config.loss,
        train_mb_size=config.batch,
        eval_mb_size=1,
        plugins=[*first, *config.plugins, *last, ProgressBar(config.method)],
        evaluator=None,
        reset_optimizer=True,
        checkpoints=out / "checkpoints",
        save_every=config.save_every,
        trainer=trainer,
    )


def plugin_of(strategy: LightningStrategy, kind: type[Plugin]) -> Plugin:
    """The strategy's plugin of a kind that every run has."""
    return next(plugin for plugin in strategy.plugins if isinstance(plugin, kind))


def _accepted(config: RunConfig, trainer: Mapping[str, Any]) -> Optimizer:
    """The optimizer, once it and a Trainer have accepted their arguments."""
    Callbacks(trainer.get("callbacks"))  # says more clearly than the Trainer what is wrong with them
    try:
        optimizer = config.optimizer(config.network.parameters())
        Trainer(**{**QUIET, **trainer})
    except (TypeError, ValueError, ImportError, MisconfigurationException) as error:  # a precision may need a package
        raise ConfigError(f"{one_line(error)}; correct the optimizer's or the trainer's arguments") from None
    return optimizer


def try_out(config: RunConfig) -> None:
    """Computes the loss of black clips and steps the optimizer on a dummy weight, before the first test takes its time.

    Raises:
        ConfigError: if the loss is for something else, or no single number, or the optimizer for other gradients; or
            if weights of the network could not be loaded again.
    """
    black, weights = torch.zeros(1, 3, *[config.stream.crop] * 2), nn.Parameter(torch.zeros(1, 1))
    part = f"the loss {type(config.loss).__name__}"
    loss = copy.deepcopy(config.loss)  # which may count its calls
    try:
        with torch.random.fork_rng(devices=[]):  # and draw, as the network's constructor
            check_arguments(config.network)
            size = loss(black, black.clone()).numel()
        part, weights.grad = "the optimizer", torch.zeros_like(weights)
        with suppress(AssertionError):  # `capturable=True`: not on the CPU, where these weights are
            config.optimizer([weights]).step()
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ConfigError(f"{part} cannot learn from clips: {one_line(error)}; choose another") from None
    if size != 1:
        raise ConfigError(f"the loss {type(config.loss).__name__} gives {size} numbers, not one; take their mean")
