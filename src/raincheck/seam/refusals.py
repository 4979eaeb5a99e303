"""What Lightning's loop would not run as Avalanche's does, refused before anything is trained."""

from collections.abc import Mapping
from typing import Any

from avalanche.training.plugins import AGEMPlugin, GEMPlugin, GSS_greedyPlugin, RWalkPlugin
from avalanche.training.templates.update_type.sgd_update import SGDUpdate
from lightning.pytorch.callbacks import GradientAccumulationScheduler

from raincheck.errors import ConfigError
from raincheck.seam.own_epoch import is_plain_epoch

TEMPLATES = "avalanche.training.templates"  # a strategy's methods that come from here are those that are replaced
# Ours call the strategy's own.
EXTENDED = {"__init__", "__init_subclass__", "train", "eval", "forward", "make_optimizer", "model_adaptation"}
OURS = ("raincheck.strategy", "raincheck.seam.")
# What the mixin keeps in an instance. Avalanche has a `reset_optimizer` of its own, which means the same.
KEPT = {"trainer_arguments", "callbacks", "checkpoints", "save_every", "terms", "adapted"}
WHOLE_GRADIENTS = (AGEMPlugin, GEMPlugin, GSS_greedyPlugin, RWalkPlugin)  # zero, project or add up gradients


# Arguments of a Trainer that could not do what they promise, and what does.
USELESS = {
    "max_epochs": "an experience has the strategy's train_epochs",
    "overfit_batches": "it cannot keep Avalanche's loaders from shuffling; "
    "use limit_train_batches, and train(..., shuffle=False)",
}


def refuse_useless(trainer: Mapping[str, Any]) -> None:
    """Raises ConfigError for an argument of the Trainer that would silently do nothing, or end in the middle."""
    if trainer.get("accumulate_grad_batches", 1) == 0:
        raise ConfigError("the trainer's accumulate_grad_batches must be 1 or more, not 0")
    for name in trainer.keys() & USELESS.keys():
        raise ConfigError(f"the trainer's {name} is of no use here: {USELESS[name]}; leave {name} out")


def refuse_other_order(strategy: type, mixin: type) -> None:
    """Raises ConfigError if a class names the mixin behind Avalanche's strategy, where it does nothing."""
    if any(other.__module__.startswith(TEMPLATES) for other in strategy.__mro__[: strategy.__mro__.index(mixin)]):
        raise ConfigError(
            f"{strategy.__name__} names LightningLoop after Avalanche's strategy; name LightningLoop first"
        )


def refuse_other_loops(strategy: type, mixin: type) -> None:
    """Raises ConfigError if a strategy brings code that Lightning's loop would not run."""
    mro = strategy.__mro__
    parts = [one for one in mro[mro.index(mixin) :] if one.__module__.startswith(OURS)]
    beyond = tuple(one for one in mro[mro.index(mixin) + 1 :] if one not in parts)
    names = {name for one in parts for name in vars(one)}
    replaced = dict.fromkeys(sorted(names - EXTENDED), beyond)
    for method, classes in replaced.items():
        owner = _owner(method, classes)
        ours = owner.__module__.startswith(TEMPLATES) or not callable(getattr(owner, method, None))
        if not ours and not any(method in vars(one) for one in mro if one.__module__.startswith(TEMPLATES)):
            _refuse_name(owner, method)
        if not ours:
            raise ConfigError(
                f"{owner.__name__} replaces Avalanche's {method}, which Lightning would not call; "
                "use it with Avalanche's own loop, or as a plugin"
            )


def refuse_other_meanings(strategy: Any) -> None:
    """Raises ConfigError if a strategy's own code has attributes that the mixin would put its own in the place of."""
    for name in vars(strategy).keys() & KEPT:
        _refuse_name(type(strategy), name)


def _refuse_name(owner: type, name: str) -> None:
    raise ConfigError(
        f"{owner.__name__} has a {name!r} of its own, a name that LightningLoop uses for itself; rename it"
    )


def refuse_no_optimizer(strategy: Any) -> None:
    """Raises ConfigError if a strategy has no optimizer for Lightning to step."""
    if strategy.optimizer is None and not steps_itself(type(strategy)):
        raise ConfigError(f"{type(strategy).__name__} has no optimizer; give it one of torch.optim, as Avalanche wants")


def refuse_several(strategy: Any) -> None:
    """Raises ConfigError if a strategy or plugin comes to another result in each of several processes."""
    if steps_itself(type(strategy)):
        raise ConfigError(
            f"{type(strategy).__name__} computes its gradients itself, of which several processes would have different "
            "ones; use one process"
        )
    if any(isinstance(plugin, RWalkPlugin) for plugin in strategy.plugins):
        raise ConfigError(
            "RWalkPlugin divides by differences that may be rounding errors, by which processes part; "
            "use one process, or EWC or SI"
        )


def refuse_accumulation(strategy: Any, trainer: Mapping[str, Any], callbacks: list[Any]) -> None:
    """Raises ConfigError if gradients are to be accumulated for what works on those of single batches."""
    schedules = any(isinstance(callback, GradientAccumulationScheduler) for callback in callbacks)
    if schedules or trainer.get("accumulate_grad_batches", 1) != 1:
        names = [
            type(plugin).__name__
            for plugin in strategy.plugins
            if isinstance(plugin, WHOLE_GRADIENTS) or getattr(plugin, "whole_gradients", False)
        ]
        names += [type(strategy).__name__] if has_own_epoch(type(strategy)) else []
        if names:
            raise ConfigError(
                f"{names[0]} works on the gradient of one batch, which gradient accumulation gives in parts; "
                "leave accumulate_grad_batches at 1"
            )


def refuse_clipping(strategy: type, trainer: Mapping[str, Any]) -> None:
    """Raises ConfigError if Lightning is to clip gradients that it does not come by."""
    if trainer.get("gradient_clip_val") is not None and steps_itself(strategy):
        raise ConfigError(
            f"{strategy.__name__} takes its steps itself, where the trainer's gradient_clip_val would do nothing; "
            "leave it out, or clip in the strategy"
        )


def has_own_epoch(strategy: type) -> bool:
    """Whether a strategy brings a `training_epoch` of its own."""
    return _owner("training_epoch", strategy.__mro__) is not SGDUpdate


def steps_itself(strategy: type) -> bool:
    """Whether that is one in which Lightning's backward pass and step have no place."""
    return has_own_epoch(strategy) and not is_plain_epoch(strategy.training_epoch)  # type: ignore[attr-defined]


def _owner(method: str, classes: tuple[type, ...]) -> type:
    return next((cls for cls in classes if method in vars(cls)), object)
