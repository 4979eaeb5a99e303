"""The parts that a strategy learns with, and whether a new process could take up the present ones."""

import warnings
from collections.abc import Iterable
from typing import Any

from torch import Tensor
from torch.nn import Module
from torch.nn.parameter import is_lazy

from raincheck.errors import RaincheckWarning
from raincheck.processes import is_first

# Of a strategy, by its attribute: what is built before an experience, so that a checkpoint's state can be laid over it,
BUILT = {"model": "model", "optimizer": "optimizer", "dataloader": "dataloader", "criterion": "_criterion"}
PASSING = {"dataloader", "criterion"}  # and of it that of which the next experience may begin with another.


class Parts:
    """Notices the parts that are exchanged while a strategy learns, which no checkpoint can hold, and says so once."""

    def __init__(self) -> None:
        self._kinds: dict[str, Any] = {}  # of the parts when learning began
        self._begun: dict[str, Any] = {}  # by name: those of `BUILT` with which the experience began
        self._begun_kinds: dict[str, Any] = {}  # of them
        self._exchanged: set[str] = set()  # of `BUILT`: replaced by another object within an experience
        self._told: set[str] = set()  # of which was said that they are of other kinds now

    def learn(self, strategy: Any) -> None:
        """Notes what the parts are when learning begins: a strategy's own code or a script may set them until then."""
        self._kinds = self._kinds or kinds(strategy)

    def begin(self, strategy: Any) -> None:
        """Notes the parts with which an experience begins."""
        self._begun = {part: getattr(strategy, name) for part, name in BUILT.items()}
        self._begun_kinds = kinds(strategy)

    def restorable(self, strategy: Any, parts: Iterable[str]) -> bool:
        """Whether a checkpoint of some parts within the experience could be restored; see `Resumable.restorable`."""
        others = {part for part in parts if getattr(strategy, BUILT[part]) is not self._begun[part]}
        for part in sorted(others - self._exchanged if is_first() else ()):
            warnings.warn(
                f"a plugin replaced the {part} in the middle of an experience, which a checkpoint cannot save, so a "
                "killed run goes on from an earlier checkpoint; replace it in before_training_exp",
                RaincheckWarning,
                stacklevel=3,
            )
        self._exchanged |= others
        return not others and self._exchanged <= PASSING and self._alike(self._begun_kinds, kinds(strategy))

    def lasting(self, strategy: Any) -> bool:
        """Whether a new process could take up all parts after an experience."""
        now = kinds(strategy)
        grown = {"model": now["model"]} if strategy.adapted else {}  # which grows again
        return self._exchanged <= PASSING and self._alike(self._kinds | grown, now)

    def _alike(self, made: dict[str, Any], now: dict[str, Any]) -> bool:
        others = {part for part, kind in made.items() if kind is not None and kind != now[part]}
        for part in sorted(others - self._told if is_first() else ()):
            warnings.warn(
                f"the {part} is of another class, or has other parameters, than when training began, so a restarted "
                "program could not load it, and a killed run goes on from before the change; give it to the strategy "
                "from the start, let a model grow by Avalanche's adaptation, or put the first one back",
                RaincheckWarning,
                stacklevel=4,
            )
        self._told |= others
        return not others


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
