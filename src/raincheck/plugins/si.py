"""Synaptic intelligence: importance is what a weight's way through the task did for the loss."""

from typing import Any

import torch

from raincheck.errors import ConfigError
from raincheck.plugins.importance import normalised
from raincheck.plugins.penalty import WeightPenalty, Weights, placed, trainable


class SI(WeightPenalty):
    """Synaptic intelligence (Zenke, Poole and Ganguli 2017, equations 3 to 5).

    Along a task, `path_k` adds up `-gradient_k * step_k`, the gradient being that of the loss without the penalty. The
    task's importance is `max(path_k, 0) / (way_k^2 + damping)`, `way_k` being how far the weight went in all; it is
    scaled to mean 1, see `normalised`.

    Avalanche 0.6's plugin keeps views of the weights instead of copies on the CPU, so that its penalty is 0 there.

    Args:
        weight: of the penalty, named `si`.
        damping: keeps weights that hardly moved from being of infinite importance; a squared distance.
        decay: what is left of the old importances at each new task; 1 adds all up, as the paper does.

    Raises:
        ConfigError: if the weight is negative, the damping not above 0, or the decay out of its range.
    """

    NAME = "si"

    def __init__(self, weight: float = 0.02, damping: float = 1e-3, decay: float = 1.0) -> None:
        super().__init__(weight, decay)
        if damping <= 0:
            raise ConfigError(f"SI cannot have damping {damping}; give more than 0")
        self.damping = damping
        self._start: Weights = {}
        self._path: Weights = {}
        self._before: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}  # weight and gradient before a step

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Every task begins a path of its own."""
        super().before_training_exp(strategy, **kwargs)
        self._start = {name: p.detach().clone() for name, p in trainable(strategy.model).items()}
        self._path = {name: torch.zeros_like(p) for name, p in self._start.items()}

    @torch.no_grad()
    def before_update(self, strategy: Any, **kwargs: Any) -> None:
        """Looks at weights and gradients before the step; the penalty's own gradient is taken off."""
        self._before = {}
        anchored = self.anchored(strategy.model)
        for name, p in trainable(strategy.model).items():
            if self.weight and p.grad is not None:
                gradient = p.grad.clone()
                if name in anchored:
                    gradient -= 2 * self.weight * self.importance[name] * (p - self.anchor[name])
                self._before[name] = (p.clone(), gradient)

    @torch.no_grad()
    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        """Adds the step to the path."""
        weights = trainable(strategy.model)
        for name, (before, gradient) in self._before.items():
            self._path[name] -= gradient * (weights[name] - before)

    def state_dict(self) -> dict[str, Any]:
        """Importances, old weights, and the path so far and where it began, as tensors."""
        return {**super().state_dict(), "start": self._start, "path": self._path}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` gave, on the devices where these values are now."""
        super().load_state_dict(state)
        self._start, self._path = placed(state["start"], self._start), placed(state["path"], self._path)

    @torch.no_grad()
    def measure(self, strategy: Any) -> Weights:
        """Importances of the task just learned."""
        return normalised(
            {
                name: self._path[name].clamp(min=0) / ((p - self._start[name]).square() + self.damping)
                for name, p in trainable(strategy.model).items()
                if name in self._path
            }
        )
