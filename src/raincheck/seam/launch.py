"""Lightning's Trainers as the strategy wants them: quiet, on its device, and with all their processes at hand."""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from raincheck import processes
from raincheck.errors import ConfigError, one_line
from raincheck.generators import no_reseeding

QUIET: dict[str, Any] = {
    "logger": False,
    "enable_model_summary": False,
    "enable_progress_bar": False,
    "num_sanity_val_steps": 0,
    # Avalanche evaluates under no_grad; tensors made in inference mode could not enter a later backward pass.
    "inference_mode": False,
}


def placed(arguments: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    """A Trainer's arguments, with the strategy's own device where they name none."""
    if {"accelerator", "devices"} & set(arguments):
        return dict(arguments)
    gpu = {"accelerator": "gpu", "devices": [device.index or 0]}
    return {**(gpu if device.type == "cuda" else {"accelerator": device.type, "devices": 1}), **arguments}


def meet(arguments: Mapping[str, Any], device: torch.device) -> tuple[int, torch.device]:
    """Starts and meets the processes that a Trainer's arguments ask for; returns how many, and this one's device.

    Raises:
        ConfigError: if the arguments do not fit, or ask for several processes in another way than `ddp`.
    """
    places = ("accelerator", "devices", "num_nodes", "strategy", "plugins")
    given = {name: value for name, value in arguments.items() if name in places}
    try:
        with quiet():
            trainer = Trainer(**{**QUIET, "enable_checkpointing": False, **placed(given, device)})
    except (TypeError, ValueError, ImportError, MisconfigurationException) as error:  # packages may lack
        raise ConfigError(f"{one_line(error)}; correct the trainer's arguments") from None
    popen = isinstance(trainer.strategy.launcher, _SubprocessScriptLauncher)
    if trainer.world_size > 1 and not (type(trainer.strategy) is DDPStrategy and popen):
        raise ConfigError(
            f"several processes cannot learn by the trainer's strategy {arguments.get('strategy')}; choose ddp"
        )
    with quiet(), no_reseeding():
        processes.join(trainer)
    return int(trainer.world_size), trainer.strategy.root_device


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps Lightning from announcing the hardware, and from advice on Avalanche's loaders and itself, at every fit."""
    loggers = [logging.getLogger(f"lightning.{name}") for name in ("pytorch.utilities.rank_zero", "fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(max(logger.level, logging.WARNING))
    with warnings.catch_warnings():
        for advice in (
            "does not have many workers",
            "GPU available but not used",
            "LeafSpec.* is deprecated",
            "with no optimizer",
        ):
            warnings.filterwarnings("ignore", message=f".*{advice}")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextmanager
def no_search_for_gpus() -> Iterator[None]:
    """Where there is none, keeps torch's optimizers from looking for NVIDIA's library at every step.

    Lightning's import asks them to, so that processes can be forked that use GPUs; it costs 0.1 ms.
    """
    name = "PYTORCH_NVML_BASED_CUDA_CHECK"
    before = None if torch.cuda.is_available() else os.environ.get(name)
    if before is not None:
        os.environ[name] = "0"
    try:
        yield
    finally:
        if before is not None:
            os.environ[name] = before
