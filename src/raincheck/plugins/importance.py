"""How important weights are for a task: measured on some of its clips (MAS, PIGWM), and scaled."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.plugins.evaluating import evaluating
from raincheck.plugins.penalty import WeightPenalty, Weights, trainable

EVEN = 0.01  # share of the importance that is spread evenly over all weights


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
        weights = trainable(model)
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


def normalised(importances: Mapping[str, Tensor]) -> Weights:
    """Importances scaled to mean 1, so that a penalty's weight means the same whatever the loss and the batch.

    Weights behind a dead ReLU have importance 0 (a third of a small network was seen), so that no penalty could hold
    them; a share of the importance is therefore spread evenly over all weights.
    """
    total = sum(float(value.sum()) for value in importances.values())
    mean = total / sum(value.numel() for value in importances.values())
    return {name: EVEN + (1 - EVEN) * value / (mean if mean > 0 else 1.0) for name, value in importances.items()}
