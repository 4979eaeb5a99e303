"""Elastic weight consolidation, by Avalanche's own plugin, with importances of a usable scale."""

from typing import Any

import torch
from avalanche.training.plugins import EWCPlugin
from avalanche.training.utils import ParamData
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.plugins.importance import chosen_clips, normalised

Importances = dict[str, ParamData]
KEPT = ("saved_params", "importances")


class EWC(EWCPlugin):
    """Avalanche's EWCPlugin (Kirkpatrick et al. 2017), except that each task's importances are scaled to mean 1.

    Avalanche squares the gradient of the batch mean, so its values depend on the batch size, and those of L1 and of
    the MSE differ a hundredfold (1e-6 and 1e-8 were seen): no lambda means the same twice. With mean 1, lambda is the
    penalty per parameter and unit of squared distance, whatever the loss; see `normalised`.

    The sum of the penalties of `separate`, each quadratic, is one quadratic: its importances are the sum, its centre is
    the mean of the old weights by importance, and its value there is `offset`. Only that one is kept. Avalanche's own
    `separate` keeps a copy of weights and importances for every task, and goes through all of them at each step.

    Args:
        ewc_lambda: weight of the penalty.
        clips: how many of the task's clips, drawn at random, the importances are estimated from; the whole set would
            cost as much as an epoch.
        mode: `separate` for one penalty a task, around the weights it ended with; `online` for a single one, around the
            weights of the last task (Schwarz et al. 2018, "Progress and compress").
        decay_factor: with `online`, what is left of the old importances at each new task.
        seed: of the choice of clips. None leaves it to the run, whose own seed it becomes, and is 0 elsewhere.

    Attributes:
        terms: the penalty added last, named `ewc`.
        offset: the least that the old tasks' penalties can come to, before lambda; 0 with `online`.

    Raises:
        ConfigError: if lambda is negative or there are no clips.
    """

    def __init__(
        self,
        ewc_lambda: float = 1.0,
        clips: int = 256,
        mode: str = "separate",
        decay_factor: float | None = None,
        seed: int | None = None,
    ) -> None:
        if ewc_lambda < 0 or clips < 1:
            raise ConfigError(
                f"EWC cannot have lambda {ewc_lambda} and {clips} clips; give 0 or more, and 1 clip or more"
            )
        if mode not in ("separate", "online") or (mode == "online") != (decay_factor is not None):
            raise ConfigError(
                f"EWC cannot have mode {mode!r} with decay_factor {decay_factor}; choose separate without, or "
                "online with one"
            )
        super().__init__(ewc_lambda, mode="online", decay_factor=1.0 if decay_factor is None else decay_factor)
        self.clips, self.seed, self.separate, self.offset = clips, seed, mode == "separate", 0.0
        self._experience = 0  # the one that ends; Avalanche does not pass it to `compute_importances`
        self.terms: dict[str, Tensor] = {}

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Moves what a checkpoint brought back to where the model is."""
        for value in (v for kind in KEPT for task in getattr(self, kind).values() for v in task.values()):
            value.data = value.data.to(strategy.device)

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Adds the penalty, which is named."""
        self.terms = {}
        if strategy.clock.train_exp_counter == 0 or not self.ewc_lambda:
            return
        before = strategy.loss
        strategy.loss = torch.zeros_like(before)
        super().before_backward(strategy, **kwargs)
        penalty = strategy.loss + self.ewc_lambda * self.offset
        self.terms = {"ewc": penalty.detach()}
        strategy.loss = before + penalty

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Adds the task's penalty to those of the tasks before."""
        task = self._experience = strategy.clock.train_exp_counter
        importances, centre = self.importances.get(task - 1, {}), self.saved_params.get(task - 1, {})
        super().after_training_exp(strategy, **kwargs)
        if self.separate:
            self._complete_square(importances, centre, task)

    @torch.no_grad()
    def _complete_square(self, importances: Importances, centre: Importances, task: int) -> None:
        """Moves the centre from the last task's weights to where the sum of all penalties is least.

        a (x - c)^2 + b (x - w)^2 = (a + b) (x - m)^2 + a (b / (a + b)) (c - w)^2, with m = w + a / (a + b) (c - w).
        """
        for name, old in importances.items():
            weights, total = self.saved_params[task][name], self.importances[task][name].data
            share = old.expand(total.shape) / total
            apart = centre[name].expand(total.shape) - weights.data
            self.offset += float((old.data * (1 - share) * apart.square()).sum())
            weights.data = weights.data + share * apart

    def compute_importances(
        self, model: Any, criterion: Any, optimizer: Any, dataset: Any, *args: Any, **kwargs: Any
    ) -> Importances:
        """Avalanche's importances over some of the clips, scaled to mean 1."""
        some = dataset.subset(chosen_clips(len(dataset), self.clips, self.seed, self._experience))
        importances: Importances = super().compute_importances(model, criterion, optimizer, some, *args, **kwargs)
        optimizer.zero_grad()  # the last batch's gradient would otherwise still be there
        for name, value in normalised({name: value.data for name, value in importances.items()}).items():
            importances[name].data = value
        return importances

    @property
    def bytes(self) -> int:
        """Bytes of importances and old weights."""
        values = (v for kind in KEPT for task in getattr(self, kind).values() for v in task.values())
        return sum(value.data.nbytes for value in values)

    def state_dict(self) -> dict[str, Any]:
        """Importances and old weights, as tensors and primitives."""
        kept: dict[str, Any] = {
            kind: {task: {k: v.data.clone() for k, v in values.items()} for task, values in getattr(self, kind).items()}
            for kind in KEPT
        }
        return {**kept, "offset": self.offset}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` gave, on the devices where these values are now."""
        self.offset = state["offset"]
        for kind in KEPT:
            now, tasks = dict(getattr(self, kind)), getattr(self, kind)
            tasks.clear()
            for task, values in state[kind].items():
                there = now.get(task, values)
                tasks[task] = {
                    k: ParamData(k, v.shape, init_tensor=v.to(there[k].device), device=there[k].device)
                    for k, v in values.items()
                }
