"""Which parameters an optimizer's groups hold: plugins change it, and a checkpoint's state fits no other groups."""

from typing import Any

from torch.nn import Module
from torch.optim import Optimizer

from raincheck.errors import ConfigError

Groups = list[list[str]] | None


def groups(optimizer: Optimizer, model: Module) -> Groups:
    """The names of every group's parameters; None if one is not the model's."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    held = [[names.get(id(parameter), "") for parameter in group["params"]] for group in optimizer.param_groups]
    return held if all(name for group in held for name in group) else None


def left_out(optimizer: Optimizer, model: Module, criterion: Any) -> set[str]:
    """The names of trainable parameters that an optimizer was not given: these it is not to get later either.

    None where it has not one of the model's: then Avalanche fills it. A frozen one has no gradient, and may be in it.

    Raises:
        ConfigError: if some of what it holds is no part of the model, whose parts were exchanged after it was made.
    """
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    named = dict(model.named_parameters())
    without = {name for name, parameter in named.items() if id(parameter) not in held}
    if len(without) == len(named):
        return set()
    trainable = {name for name in without if named[name].requires_grad}
    known = [*named.values(), *(criterion.parameters() if isinstance(criterion, Module) else [])]
    if trainable and held - {id(parameter) for parameter in known}:
        raise ConfigError(
            f"the optimizer holds parameters that are not the model's, and not its {min(trainable)}; make it after "
            "the model is complete"
        )
    return trainable


def regroup(optimizer: Optimizer, model: Module, kept: Groups) -> None:
    """Has an optimizer hold groups again as `groups` found them; all else of them is for its own state to bring back.

    Leaves it as it is if there is nothing to do, or the model has not got these parameters.
    """
    named = dict(model.named_parameters())
    if kept is None or kept == groups(optimizer, model) or not {name for group in kept for name in group} <= set(named):
        return
    optimizer.param_groups.clear()
    for group in kept:
        optimizer.add_param_group({"params": [named[name] for name in group]})
