"""Which parameters an optimizer's groups hold: plugins change it, and a checkpoint's state fits no other groups."""

from torch.nn import Module
from torch.optim import Optimizer

Groups = list[list[str]] | None


def groups(optimizer: Optimizer, model: Module) -> Groups:
    """The names of every group's parameters; None if one is not the model's."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    held = [[names.get(id(parameter), "") for parameter in group["params"]] for group in optimizer.param_groups]
    return held if all(name for group in held for name in group) else None


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
