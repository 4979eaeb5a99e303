"""Plain numbers and texts that a strategy's parts were made with, and that change: no `state_dict` has them."""

from collections.abc import Iterator
from typing import Any

Attributes = dict[str, dict[str, Any]]
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
