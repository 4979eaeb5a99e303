"""Which parameters an optimizer's groups hold: plugins change it, and a checkpoint's state fits no other groups."""

from typing import Any

from torch.nn import Module
from torch.optim import Optimizer

from raincheck.errors import ConfigError

Groups = list[list[str]] | None


def groups(optimizer: Optimizer | None, model: Module) -> Groups:
    """The names of every group's parameters; None if one is not the model's."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    held = [[names.get(id(parameter), "") for parameter in group["params"]] for group in _groups(optimizer)]
    return held if all(name for group in held for name in group) else None


def left_out(optimizer: Optimizer | None, model: Module, criterion: Any) -> dict[str, bool]:
    """The parameters that an optimizer was not given, and whether they were trainable.

    None where it has not one of the model's: then Avalanche fills it.

    Raises:
        ConfigError: if some of what it holds is no part of the model, whose parts were exchanged after it was made.
    """
    held = {id(parameter) for group in _groups(optimizer) for parameter in group["params"]}
    named = dict(model.named_parameters())
    without = {name: parameter.requires_grad for name, parameter in named.items() if id(parameter) not in held}
    if len(without) == len(named):
        return {}
    known = [*named.values(), *(criterion.parameters() if isinstance(criterion, Module) else [])]
    if any(without.values()) and held - {id(parameter) for parameter in known}:
        first = min(name for name, trainable in without.items() if trainable)
        raise ConfigError(
            f"the optimizer holds parameters that are not the model's, and not its {first}; make it after the model is "
            "complete"
        )
    return without


def to_hide(without: dict[str, bool], optimizer: Optimizer | None, model: Module) -> set[str]:
    """Which of the parameters that were left out Avalanche is not to put into the optimizer now.

    Trainable ones never. Frozen ones have no gradient and may be in it, so that they learn once they are thawed; but
    among several groups Avalanche finds no place for them, and they stay out for as long as they are frozen.
    """
    several, named = len(_groups(optimizer)) > 1, dict(model.named_parameters())
    frozen = {name for name in without if several and name in named and not named[name].requires_grad}
    return {name for name, trainable in without.items() if trainable} | frozen


def regroup(optimizer: Optimizer | None, model: Module, kept: Groups) -> None:
    """Has an optimizer hold groups again as `groups` found them; all else of them is for its own state to bring back.

    Leaves it as it is if there is nothing to do, or the model has not got these parameters.
    """
    named = dict(model.named_parameters())
    known = kept is not None and {name for group in kept for name in group} <= set(named)
    if optimizer is None or kept is None or not known or kept == groups(optimizer, model):
        return
    optimizer.param_groups.clear()
    for group in kept:
        optimizer.add_param_group({"params": [named[name] for name in group]})


def _groups(optimizer: Optimizer | None) -> list[dict[str, Any]]:
    """A strategy that learns without gradients has no optimizer."""
    return [] if optimizer is None else optimizer.param_groups
