"""What SI, MAS and PIGWM share: weights are held to those of the last task, each as firmly as it was important."""

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from raincheck.errors import ConfigError

Weights = dict[str, Tensor]


class WeightPenalty(SupervisedPlugin):
    """Adds `weight * sum_k importance_k (w_k - anchor_k)^2`, with the anchor at the end of the last task.

    A subclass measures importances when a task ends; those of earlier tasks are added up.

    Args:
        weight: of the penalty; 0 is plain fine-tuning.
        decay: factor on the old importances at each new task, in [0, 1].

    Attributes:
        importance: of each parameter, by its name; empty before the first task has ended.
        anchor: the weights of the end of the last task, likewise.
        terms: the penalty added last, by the method's name.

    Raises:
        ConfigError: if the weight is negative, or the decay out of its range.
    """

    NAME: ClassVar[str]

    def __init__(self, weight: float, decay: float) -> None:
        super().__init__()
        if weight < 0 or not 0 <= decay <= 1:
            raise ConfigError(
                f"{type(self).__name__} cannot have weight {weight} and decay {decay}; give a weight of 0 or more "
                "and a decay in [0, 1]"
            )
        self.weight, self.decay = weight, decay
        self.importance: Weights = {}
        self.anchor: Weights = {}
        self.terms: dict[str, Tensor] = {}

    @abstractmethod
    def measure(self, strategy: Any) -> Weights:
        """Importances of the task just learned, 0 or more."""

    def distance(self, model: nn.Module) -> Tensor:
        """How far the weights have gone from the anchor, weighed by importance: a scalar."""
        pairs = self.anchored(model).items()
        return sum(
            ((self.importance[name] * (p - self.anchor[name]).square()).sum() for name, p in pairs),
            start=torch.zeros(()),
        )

    def anchored(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The parameters that were there, and not frozen, when a task ended; a network may have grown since."""
        return {name: p for name, p in trainable(model).items() if name in self.anchor and name in self.importance}

    @property
    def bytes(self) -> int:
        """Bytes of importances and old weights."""
        return sum(value.nbytes for kind in (self.importance, self.anchor) for value in kind.values())

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Moves what a checkpoint brought back to where the model is."""
        self.importance, self.anchor = (
            {name: value.to(strategy.device) for name, value in kind.items()} for kind in (self.importance, self.anchor)
        )

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Adds the penalty."""
        self.terms = {}
        if self.anchor:
            penalty = self.weight * self.distance(strategy.model)
            self.terms = {self.NAME: penalty.detach()}
            strategy.loss = strategy.loss + penalty

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Adds the importances of the task just learned, and moves the anchor."""
        if not self.weight:
            return
        for name, value in self.measure(strategy).items():
            self.importance[name] = self.decay * self.importance[name] + value if name in self.importance else value
        self.anchor = {name: p.detach().clone() for name, p in trainable(strategy.model).items()}

    def state_dict(self) -> dict[str, Any]:
        """Importances and old weights, as tensors."""
        return {"importance": self.importance, "anchor": self.anchor}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` gave, on the devices where these values are now."""
        self.importance = placed(state["importance"], self.importance)
        self.anchor = placed(state["anchor"], self.anchor)


def placed(values: Weights, there: Weights) -> Weights:
    """Values by name, each on the device of the one of that name in `there`, if there is one."""
    return {name: value.to(there[name].device) if name in there else value for name, value in values.items()}


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that are not frozen, by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
