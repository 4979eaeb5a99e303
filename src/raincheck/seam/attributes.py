"""What a strategy's parts were made with: plain numbers and texts, which no `state_dict` has, kinds and shapes."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor
from torch.nn import Module
from torch.nn.parameter import is_lazy

Attributes = dict[str, dict[str, Any]]
# Of a strategy, by its attribute: what is built before an experience, so that a checkpoint's state can be laid over it,
BUILT = {"model": "model", "optimizer": "optimizer", "dataloader": "dataloader", "criterion": "_criterion"}
PASSING = {"dataloader", "criterion"}  # and of it that of which the next experience may begin with another.
SETTINGS = ("train_epochs", "train_mb_size", "eval_mb_size")  # of a strategy, which a plugin may change


def attributes(strategy: Any) -> Attributes:
    """Public plain attributes of the network's modules, the criterion and the optimizer, and some of the strategy's."""
    found = {owner: _plain(vars(of)) for owner, of in _owners(strategy)}
    return {**found, "strategy": {name: getattr(strategy, name) for name in SETTINGS}}


def changed(strategy: Any, before: Attributes) -> Attributes:
    """Those that are not what they were when the strategy was made, of the parts that it had then."""
    now = attributes(strategy)
    parts = {
        owner: {name: value for name, value in own.items() if before.get(owner, {}).get(name) != value}
        for owner, own in now.items()
        if owner in before
    }
    return {owner: own for owner, own in parts.items() if own}


def restore(strategy: Any, kept: Attributes) -> None:
    """Puts back what `changed` gave."""
    for owner, of in (*_owners(strategy), ("strategy", strategy)):
        for name, value in kept.get(owner, {}).items():
            setattr(of, name, value)


def kinds(strategy: Any) -> dict[str, Any]:
    """Of what kind its parts are, which no state brings back; None where only data or a checkpoint will tell."""
    return {part: _kind(getattr(strategy, name)) for part, name in BUILT.items() if part != "dataloader"}


def _kind(part: Any) -> Any:
    """Of modules class and shapes, of functions themselves."""
    if not isinstance(part, Module):
        return type(part) if hasattr(part, "state_dict") else part
    tensors = {name: value for name, value in part.state_dict().items() if isinstance(value, Tensor)}
    if any(is_lazy(value) for value in tensors.values()):
        return None
    return type(part), {name: tuple(value.shape) for name, value in tensors.items()}


def _owners(strategy: Any) -> Iterator[tuple[str, Any]]:
    yield from ((f"model.{name}", module) for name, module in strategy.model.named_modules())
    yield from (
        (name, of)
        for name, of in (("criterion", strategy._criterion), ("optimizer", strategy.optimizer))
        if hasattr(of, "__dict__")
    )


def _plain(own: dict[str, Any]) -> dict[str, Any]:
    known = (bool, int, float, str)
    return {name: v for name, v in own.items() if type(v) in known and not name.startswith("_") and name != "training"}
