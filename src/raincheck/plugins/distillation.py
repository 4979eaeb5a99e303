"""Knowledge distillation: the model of the end of the previous task guides the current one."""

from typing import Any

import torch
import torch.nn.functional as F
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from raincheck.errors import ConfigError
from raincheck.plugins.teacher import Teacher


class Distillation(SupervisedPlugin):
    """Adds the L1 distance between the old model's output and ours, on reviewed clips, on new clips, or on both.

    A row is reviewed if its task label is not the current experience's; without labels every row is new. With only
    `new` it is Learning without Forgetting (Li and Hoiem 2016) for dense outputs: the old model's output on new data
    stands in for old data.

    Args:
        review: weight of the term on reviewed clips, named `distillation/review`.
        new: weight of the term on new clips, named `distillation/new`.

    Attributes:
        terms: what was added to the loss last.

    Raises:
        ConfigError: if a weight is negative.
    """

    def __init__(self, review: float = 1.0, new: float = 0.0) -> None:
        super().__init__()
        if review < 0 or new < 0:
            raise ConfigError(f"Distillation cannot have weights review {review} and new {new}; give 0 or more")
        self.review, self.new = review, new
        self.terms: dict[str, Tensor] = {}
        self._teacher = Teacher()

    @property
    def teacher(self) -> nn.Module | None:
        """The model of the end of the previous task; None during the first."""
        return self._teacher.model

    @property
    def bytes(self) -> int:
        """Bytes that the teacher takes."""
        return self._teacher.bytes

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Rebuilds the teacher after a resume."""
        self._teacher.rebuild(strategy.model)

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Adds the terms to the loss."""
        self.terms = {}
        if self.teacher is None or not (self.review or self.new):
            return
        old = self._reviewed(strategy)
        for name, weight, rows in (("review", self.review, old), ("new", self.new, ~old)):
            if weight and rows.any():
                target = self._teacher(strategy.mb_x[rows])
                self.terms[f"distillation/{name}"] = weight * F.l1_loss(strategy.mb_output[rows], target)
        strategy.loss = strategy.loss + sum(self.terms.values())
        self.terms = {name: term.detach() for name, term in self.terms.items()}

    def _reviewed(self, strategy: Any) -> Tensor:
        rows = len(strategy.mb_x)
        if len(strategy.mbatch) < 3:
            return torch.zeros(rows, dtype=torch.bool, device=strategy.device)
        reviewed: Tensor = strategy.mb_task_id != strategy.experience.current_experience
        return reviewed

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """The model just trained becomes the teacher."""
        self._teacher.keep(strategy.model)

    def state_dict(self) -> dict[str, Any]:
        """The teacher's tensors, or None before the first task has ended."""
        return {"teacher": self._teacher.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` gave; the teacher is back when the next experience begins."""
        self._teacher.load_state_dict(state["teacher"])
