"""Weight averaging against forgetting: a moving average over all training steps, those of old tasks included."""

from typing import Any

import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.plugins.penalty import Weights, placed


class WeightAveraging(SupervisedPlugin):
    """Keeps an exponential moving average of the weights over all steps of all tasks; every task ends with it.

    The average does not begin anew with a task, so that the weights of the tasks before stay in it: a control for
    distillation, whose old model is of the past too. (Lightning's EMAWeightAveraging begins anew with every fit.) The
    next task is learned from the average. At step k the decay is at most (1 + k) / (10 + k), so that the first weights,
    which have learned nothing, soon leave it. Its place in a list of plugins is before those that keep an old model.

    Args:
        decay: share of the average that a step leaves, in [0, 1); 0 is no averaging.

    Raises:
        ConfigError: if the decay is out of its range.
    """

    def __init__(self, decay: float = 0.99) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ConfigError(f"WeightAveraging cannot have decay {decay}; give 0 or more and less than 1")
        self.decay, self.steps = decay, 0
        self.average: Weights = {}

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Goes on from the network's weights, which are the average so far."""
        self.average = {name: value.clone() for name, value in weights(strategy.model).items()}

    @torch.no_grad()
    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        """Takes a step's weights into the average."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in weights(strategy.model).items():
            self.average[name].lerp_(value, 1 - decay)
        self.steps += 1

    @torch.no_grad()
    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Puts the average into the network."""
        for name, value in weights(strategy.model).items():
            value.copy_(self.average[name])

    def state_dict(self) -> dict[str, Any]:
        """Average and steps, as tensors and primitives."""
        return {"average": self.average, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` gave."""
        self.average, self.steps = placed(state["average"], self.average), state["steps"]


def weights(model: torch.nn.Module) -> dict[str, Tensor]:
    """All floating-point tensors of a model's state, by name: the model's own, not copies."""
    return {name: value for name, value in model.state_dict().items() if value.is_floating_point()}
