"""What an experience begins with, by which a checkpoint within it is known to be of this learning and no other."""

import hashlib
import warnings
from collections.abc import Sized
from typing import Any

import torch
from torch.nn.parameter import is_lazy

from raincheck.errors import ConfigError, RaincheckWarning
from raincheck.generators import generators
from raincheck.processes import is_first

Beginning = dict[str, str]
DRAWN = ("random numbers", "weights")  # all else a script decides, in the same way each time


def beginning(strategy: Any) -> Beginning:
    """What was decided, and what is drawn, where an experience begins to be learned.

    Args:
        strategy: whose plugins have seen `before_training_exp`.
    """
    data, optimizer, states = strategy.experience.dataset, strategy.optimizer, generators()
    drawn = [repr(states["python"]).encode(), repr(states["numpy"][2:]).encode(), _bytes(states["numpy"][1])]
    weights = [_bytes(tensor) for tensor in strategy.model.state_dict().values() if isinstance(tensor, torch.Tensor)]
    return {
        "criterion": getattr(strategy._criterion, "__name__", type(strategy._criterion).__name__),
        "optimizer": type(optimizer).__name__,
        **{f"{name} of the optimizer": str(value) for name, value in _settings(optimizer).items()},
        "batch size": str(strategy.train_mb_size),
        "number of samples": str(len(data)) if isinstance(data, Sized) else "",
        "random numbers": _digest([*drawn, _bytes(states["torch"])]),
        # Later ones are learned, on some devices not to the same bits.
        "weights": "" if strategy.clock.train_exp_counter else _digest(weights),
    }


def compare(kept: Beginning, now: Beginning, path: Any) -> None:
    """Looks whether a checkpoint is of learning that began like this one.

    A script that does not seed its generators begins otherwise each time, and goes on all the same.

    Args:
        kept: with the checkpoint.
        now: of this learning.
        path: the checkpoint.

    Raises:
        ConfigError: if something was decided otherwise.
    """
    differ = [name for name in now if kept.get(name, now[name]) != now[name]]
    if decided := [name for name in differ if name not in DRAWN]:
        name = decided[0]
        raise ConfigError(
            f"the checkpoint {path} is of training with another {name} ({kept[name]} then, {now[name]} now); "
            "use another folder"
        )
    if differ and is_first():
        warnings.warn(
            f"training goes on from {path}, though it began with other {' and '.join(differ)} than now; if it is the "
            "same training, seed the random number generators, and if not, use another folder",
            RaincheckWarning,
            stacklevel=2,
        )


def _settings(optimizer: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = getattr(optimizer, "defaults", {})
    return {name: value for name, value in defaults.items() if isinstance(value, bool | float | int | tuple)}


def _bytes(tensor: torch.Tensor) -> bytes:
    if is_lazy(tensor):
        return b""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def _digest(parts: list[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()
