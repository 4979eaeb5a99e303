"""What SI, MAS and PIGWM share: weights are held to those of the last task, each as firmly as it was important.

MAS and PIGWM measure importances on some of the task's clips.

`plugins.EWC` is Avalanche's and has its own bookkeeping; scale and spread of its importances are those of `evened`.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from raincheck.errors import ConfigError
from raincheck.plugins.evaluating import evaluating

EVEN = 0.01  # share of the importance that all weights have alike
Weights = dict[str, Tensor]


class WeightPenalty(SupervisedPlugin):
    """Adds `weight * sum_k importance_k (w_k - anchor_k)^2`, with the anchor at the end of the last task.

    A subclass measures importances when a task ends; those of earlier tasks are added up.

    Args:
        weight: of the penalty; 0 is plain fine-tuning.
        decay: what is left of the old importances at each new task, in [0, 1].

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
                f"{type(self).__name__} cannot have weight {weight} and decay {decay}; give 0 or more and 0 to 1"
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
        return {name: p for name, p in trained(model).items() if name in self.anchor and name in self.importance}

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
        self.anchor = {name: p.detach().clone() for name, p in trained(strategy.model).items()}

    def state_dict(self) -> dict[str, Any]:
        """Importances and old weights, as tensors."""
        return {"importance": self.importance, "anchor": self.anchor}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` gave, on the devices where these values are now."""
        self.importance = placed(state["importance"], self.importance)
        self.anchor = placed(state["anchor"], self.anchor)


class ClipPenalty(WeightPenalty):
    """A `WeightPenalty` whose importances are estimated from some of the task's clips, see `chosen_clips`.

    Args:
        weight: as there.
        clips: how many clips; the whole set would cost as much as several epochs.
        decay: as there.
        seed: of the choice of clips. None leaves it to the run, whose own seed it becomes, and is 0 elsewhere.

    Raises:
        ConfigError: if the weight is negative, the decay out of its range, or there are no clips.
    """

    def __init__(self, weight: float, clips: int, decay: float, seed: int | None) -> None:
        super().__init__(weight, decay)
        if clips < 1:
            raise ConfigError(f"{type(self).__name__} cannot have {clips} clips; give 1 or more")
        self.clips, self.seed = clips, seed

    def mean_absolute_gradients(self, strategy: Any, objective: Callable[[Tensor, Tensor], Tensor]) -> Weights:
        """Mean over clips, one at a time, of `|d objective / d weight|`, the network being in evaluation mode.

        Args:
            strategy: at the end of a task.
            objective: a scalar of the derained and the clean frame, `(1, c, h, w)` each.
        """
        model, data = strategy.model, strategy.experience.dataset
        weights = trained(model)
        chosen = chosen_clips(len(data), self.clips, self.seed, strategy.clock.train_exp_counter)
        total = {name: torch.zeros_like(p) for name, p in weights.items()}
        with evaluating(model):
            for index in chosen:
                rainy, clean = (part[None].to(strategy.device) for part in data[index][:2])
                value = objective(model(rainy), clean)
                gradients = torch.autograd.grad(value, list(weights.values()), allow_unused=True)
                for name, gradient in zip(weights, gradients, strict=True):
                    total[name] += 0 if gradient is None else gradient.abs()
        return {name: value / len(chosen) for name, value in total.items()}


def chosen_clips(there: int, clips: int, seed: int | None, experience: int) -> list[int]:
    """Which of an experience's clips importances are measured on, in order: a function of seed and experience alone.

    The first ones would be those of one video, where an experience's clips are not in random order.

    Args:
        there: how many clips the experience has; with no more than `clips` all are chosen.
        clips: how many to choose at most, without replacement.
        seed: of the choice; None is 0.
        experience: how many were learned before.
    """
    rng = np.random.default_rng((seed or 0, experience))
    return sorted(rng.choice(there, size=min(clips, there), replace=False).tolist())


def placed(values: Weights, there: Weights) -> Weights:
    """Values by name, each on the device of the one of that name in `there`, if there is one."""
    return {name: value.to(there[name].device) if name in there else value for name, value in values.items()}


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that are not frozen, by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def evened(importances: Mapping[str, Tensor]) -> Weights:
    """Importances scaled to mean 1, so that a penalty's weight means the same whatever the loss and the batch.

    Weights behind a dead ReLU have importance 0 (a third of a small network was seen), so that no penalty could hold
    them; a share of the importance is therefore spread evenly over all weights.
    """
    total = sum(float(value.sum()) for value in importances.values())
    mean = total / sum(value.numel() for value in importances.values())
    return {name: EVEN + (1 - EVEN) * value / (mean if mean > 0 else 1.0) for name, value in importances.items()}
