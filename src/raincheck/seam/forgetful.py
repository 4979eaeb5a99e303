"""What may hold a memory that no checkpoint has, so that none is written."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback
from torch.nn import Module

from raincheck.errors import RaincheckWarning
from raincheck.processes import is_first
from raincheck.seam.by_hook import saves_by_hook


def kept_in(checkpoints: str | Path | None, strategy: Any, callbacks: Sequence[Any]) -> Path | None:
    """The folder for checkpoints, None if something could not be brought back from them, which is said."""
    if checkpoints and (name := forgetful(strategy, callbacks)):
        tell(f"{name} can't save what it remembers", checkpoints, "give it a state_dict and a load_state_dict")
        return None
    return Path(checkpoints) if checkpoints else None


def tell(why: str, checkpoints: str | Path, instead: str) -> None:
    """Says that nothing is kept in the folder for checkpoints, why, and what can be done about it."""
    if is_first():
        warnings.warn(
            f"{why}, so nothing is kept in {checkpoints} and learning that is killed begins anew; {instead}",
            RaincheckWarning,
            stacklevel=5,
        )


def forgetful(strategy: Any, callbacks: Iterable[Any] = ()) -> str | None:
    """The name of a plugin, strategy or callback that may hold a memory that no checkpoint has, None if there is none.

    Stock plugins do; ours have a `state_dict` if they hold anything, and whatever else has one is believed. The
    template's own three (evaluation, periodic evaluation, clock) are kept anyway, and strategies that only choose
    plugins hold nothing, nor do callbacks that have no attributes.
    """
    own = {"EvaluationPlugin", "PeriodicEval", "Clock"}
    for plugin in strategy.plugins:
        foreign = not type(plugin).__module__.startswith("raincheck.") and type(plugin).__name__ not in own
        if foreign and not _saves(plugin):
            return type(plugin).__name__
    for callback in callbacks:
        if _forgets(callback):
            return type(callback).__name__
    if hasattr(strategy, "state_dict"):
        return None
    templates = ("raincheck.", "avalanche.training.templates.")
    for kind in type(strategy).__mro__:
        methods = [name for name, value in vars(kind).items() if callable(value) and not name.startswith("__")]
        if methods and not kind.__module__.startswith(templates):
            return kind.__name__
    return None


def _saves(plugin: Any) -> bool:
    """Whether a plugin has a `state_dict`; a torch module's has parameters and buffers, and no other attributes."""
    state_dict = getattr(type(plugin), "state_dict", None)
    return state_dict is not None and not (
        state_dict is Module.state_dict and vars(plugin).keys() - vars(Module()).keys()
    )


def _forgets(callback: Any) -> bool:
    """Whether a callback of the user's has hooks and attributes, and neither saves by hook nor has a `state_dict`."""
    theirs = [kind for kind in type(callback).__mro__ if not kind.__module__.startswith("lightning.")]
    hooks = any(name.startswith("on_") for kind in theirs for name in vars(kind))
    remembered = vars(callback).keys() - {"log", "log_dict"}  # which a Trainer gives to all
    silent = type(callback).state_dict is Callback.state_dict and not saves_by_hook(callback)
    return hooks and bool(remembered) and silent
