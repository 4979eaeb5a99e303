"""What a strategy keeps between two experiences, and what of it changes within one: tensors and primitives.

Nothing here imports Avalanche or Lightning: a `strategy` is whatever has the attributes of a LightningLoop.
"""

from typing import Any

from torch import Tensor
from torch.nn import Module
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_map_only

from raincheck.checkpoint import foreign
from raincheck.errors import ConfigError, one_line
from raincheck.generators import generators, set_generators
from raincheck.seam.attributes import changed, restore
from raincheck.seam.evaluators import evaluator_state, restore_evaluator
from raincheck.seam.groups import groups, regroup

State = dict[str, Any]
ITERATION = ("loss", "mbatch", "mb_output")


def strategy_state(strategy: Any, callbacks: list[Any]) -> State:
    """Everything that the next experience needs.

    Args:
        strategy: between two experiences.
        callbacks: of Lightning, those that outlive an experience.
    """
    return {
        **{name: plain(type(part).__name__, part.state_dict()) for name, part in learners(strategy).items()},
        "callbacks": {callback.state_key: plain(callback.state_key, callback.state_dict()) for callback in callbacks},
        "generators": generators(),
        **avalanche_state(strategy),
    }


def learners(strategy: Any) -> dict[str, Any]:
    """Whose states a Trainer saves within an experience."""
    parts = {"network": strategy.model, "optimizer": strategy.optimizer}
    return {name: part for name, part in parts.items() if part is not None}


def restore_strategy(strategy: Any, callbacks: list[Any], state: State) -> None:
    """Puts a strategy, its callbacks and the global generators into the state that `strategy_state` gave.

    Raises:
        ConfigError: if the state is of another network, optimizer or list of plugins.
    """
    try:
        take_types(strategy.model, state["network"])
        strategy.model.load_state_dict(state["network"])
        if strategy.optimized_param_id is None:
            strategy.make_optimizer(reset_optimizer_state=True)  # which Avalanche would do later, forgetting the state
        regroup(strategy.optimizer, strategy.model, state.get("groups"))
        if strategy.optimizer is not None:
            strategy.optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError, LookupError) as error:
        raise ConfigError(
            f"the checkpoint is of another network or optimizer ({one_line(error)}); use another folder"
        ) from None
    for callback in callbacks:
        if kept := state["callbacks"].get(callback.state_key):
            callback.load_state_dict(kept)
    restore_avalanche(strategy, state)
    set_generators(state["generators"])


def take_types(model: Module, kept: State) -> None:
    """Gives a model's tensors the types of those that were kept: a Trainer's `64-true` converts it only later."""
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if name in kept:
            tensor.data = tensor.data.to(kept[name].dtype)


def avalanche_state(strategy: Any) -> State:
    """The part of the state that Lightning does not know: all but weights, optimizer, callbacks and the loader's place.

    Raises:
        ConfigError: if a plugin or the strategy keeps what no checkpoint can hold.
    """
    return {
        "plugins": [
            plain(type(plugin).__name__, plugin.state_dict()) if hasattr(plugin, "state_dict") else None
            for plugin in strategy.plugins
        ],
        "names": [type(plugin).__name__ for plugin in strategy.plugins],
        "strategy": plain(type(strategy).__name__, strategy.state_dict()) if hasattr(strategy, "state_dict") else None,
        "clock": dict(vars(strategy.clock)),
        "groups": groups(strategy.optimizer, strategy.model),
        "modes": _modes(strategy.model),
        "gradients": {n: p.grad for n, p in strategy.model.named_parameters() if p.grad is not None},
        "attributes": changed(strategy, strategy._made),
        "criterion": _criterion_state(strategy),
        "evaluator": evaluator_state(strategy.evaluator),
    }


def iteration_state(strategy: Any) -> State:
    """What an iteration leaves behind, and plugins can read until the next has it too."""
    left = {name: tree_map_only(Tensor, Tensor.detach, getattr(strategy, name)) for name in ITERATION}
    return {name: value for name, value in left.items() if foreign(value) is None}


def restore_iteration(strategy: Any, state: State) -> None:
    """Puts back what `iteration_state` gave, where the strategy learns."""
    for name, value in state.items():
        setattr(strategy, name, tree_map_only(Tensor, lambda tensor: tensor.to(strategy.device), value))


def _modes(model: Any) -> State:
    """What trains and what is frozen. Plugins set it when an epoch begins; an epoch that is resumed does not begin."""
    return {
        "training": {name: module.training for name, module in model.named_modules()},
        "requires_grad": {name: parameter.requires_grad for name, parameter in model.named_parameters()},
    }


def _set_modes(model: Any, modes: State) -> None:
    for attribute, named in (("training", model.named_modules()), ("requires_grad", model.named_parameters())):
        for name, owner in named:
            setattr(owner, attribute, modes.get(attribute, {}).get(name, getattr(owner, attribute)))


def _set_gradients(model: Any, gradients: State) -> None:
    """Of the last step, which the next begins with: plugins may read them, and some optimizers do not forget them."""
    for name, parameter in model.named_parameters():
        if not is_lazy(parameter):  # has no shape before its weights are there
            parameter.grad = gradients[name].to(parameter.device) if name in gradients else None


def _criterion_state(strategy: Any) -> State | None:
    """A criterion's parameters and buffers, None if it has none."""
    criterion: Any = getattr(strategy, "_criterion", None)
    state: State = criterion.state_dict() if hasattr(criterion, "state_dict") else {}
    return plain(type(criterion).__name__, state) or None


def _restore_criterion(strategy: Any, state: State | None) -> None:
    if state is None:
        return
    try:
        strategy._criterion.load_state_dict(state)
    except (AttributeError, RuntimeError) as error:
        raise ConfigError(f"the checkpoint is of another criterion ({one_line(error)}); use another folder") from None


def plain(owner: str, state: Any, where: str = "state_dict") -> Any:
    """A state that a checkpoint can hold.

    Raises:
        ConfigError: naming the owner and where it is from, if it is of something else.
    """
    held = {k: v for k, v in state.items() if not is_lazy(v)} if isinstance(state, dict) else state
    if found := foreign(held):
        raise ConfigError(
            f"{owner} keeps a {found.__module__}.{found.__qualname__} in its {where}, which no checkpoint can hold "
            "safely; make it tensors, arrays, numbers, texts, and lists and dicts of them"
        )
    return state


def restore_avalanche(strategy: Any, state: State) -> None:
    """Puts a strategy into the state that `avalanche_state` gave.

    Raises:
        ConfigError: if it is of another list of plugins or criterion.
    """
    names = [type(plugin).__name__ for plugin in strategy.plugins]
    if names != state["names"]:
        raise ConfigError(f"the checkpoint is of the plugins {state['names']}, not of {names}; use another folder")
    for plugin, kept in zip(strategy.plugins, state["plugins"], strict=True):
        if kept is not None:
            plugin.load_state_dict(kept)
    if (own := state.get("strategy")) is not None:
        strategy.load_state_dict(own)
    vars(strategy.clock).update(state["clock"])
    regroup(strategy.optimizer, strategy.model, state.get("groups"))  # whose state is Lightning's to load, within one
    _set_modes(strategy.model, state.get("modes", {}))
    _set_gradients(strategy.model, state.get("gradients", {}))
    restore(strategy, state.get("attributes", {}))
    _restore_criterion(strategy, state.get("criterion"))
    restore_evaluator(strategy.evaluator, state["evaluator"])
