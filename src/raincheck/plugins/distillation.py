"""Knowledge distillation: the model of the end of the previous task guides the current one."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from raincheck.errors import ConfigError
from raincheck.plugins.features import feature_distance, refuse_other_layer
from raincheck.plugins.rows import own_rows
from raincheck.plugins.teacher import Teacher

TARGETS = ("teacher", "clean")


class Distillation(SupervisedPlugin):
    """Adds the L1 distance between the old model's output and ours, on reviewed clips, on new clips, or on both.

    A row is reviewed if it came from a memory, ours or one of Avalanche's, see `raincheck.plugins.rows`; labels have no
    say in it. With only `new` it is Learning without Forgetting (Li and Hoiem 2016) for dense outputs: the old model's
    output on new data stands in for old data. With `feature`, what a layer inside both networks says of reviewed clips
    is compared too, or instead (as FitNets, Romero et al. 2015, do with networks of two sizes); that takes one more
    pass of the reviewed clips through the network.

    With `tolerance` the old model is believed only where it is right: where its output is farther than that from the
    clean frame, the clean frame is the target (a hard form, by value, of teacher-bounded regression, Chen et al. 2017).

    Args:
        review: weight of the term on reviewed clips, named `distillation/review`.
        new: weight of the term on new clips, named `distillation/new`.
        feature: weight of the L1 distance between features of reviewed clips, named `distillation/feature`.
        layer: name of the module whose output is compared by `feature`, such as RRGNet's `unet`.
        target: `teacher`, or `clean`: the clean frame takes the place of the old model's output, which leaves the same
            loss without any distillation, for a control.
        tolerance: largest difference from the clean frame, as a share of the range, at which a value of the old model's
            output is a target. None is no limit.
        from_start: whether the network as it is before the first task is an old model too: for one that begins with
            weights that have learned something, and is to keep it without their data. With `new`, that is.

    Attributes:
        terms: what was added to the loss last.

    Raises:
        ConfigError: if a weight or the tolerance is negative, there is no such target, or features, a tolerance or a
            first model are asked of clean frames; before training, if the network has no such layer.
    """

    def __init__(
        self,
        review: float = 1.0,
        new: float = 0.0,
        feature: float = 0.0,
        layer: str = "unet",
        target: str = "teacher",
        tolerance: float | None = None,
        from_start: bool = False,
    ) -> None:
        super().__init__()
        if misfit := _misfit({"review": review, "new": new, "feature": feature}, target, tolerance, from_start):
            raise ConfigError(f"Distillation cannot have {misfit}")
        self.review, self.new, self.feature, self.layer, self.target = review, new, feature, layer, target
        self.tolerance, self.from_start = tolerance, from_start
        self.terms: dict[str, Tensor] = {}
        self._teacher = Teacher()
        self._own = 0  # rows of the batch that are the experience's

    @property
    def teacher(self) -> nn.Module | None:
        """The model of the end of the previous task; None where clean frames are the target.

        None during the first task too, without `from_start`.
        """
        return self._teacher.model

    @property
    def bytes(self) -> int:
        """Bytes that the teacher takes."""
        return self._teacher.bytes

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Looks for the layer, and rebuilds the teacher after a resume or takes the first one."""
        if self.feature:
            refuse_other_layer(strategy.model, self.layer)
        self._teacher.rebuild(strategy.model)
        if self.from_start and self.teacher is None:
            self._teacher.keep(strategy.model)

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Sees which rows are new, before others join the batch."""
        self._own = own_rows(strategy)

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Adds the terms to the loss."""
        self.terms = {}
        if (self.teacher is None and self.target == "teacher") or not (self.review or self.new or self.feature):
            return
        new, old = slice(self._own), slice(self._own, None)
        for name, weight, rows in (("review", self.review, old), ("new", self.new, new)):
            output = strategy.mb_output[rows]
            if weight and len(output):
                self.terms[f"distillation/{name}"] = weight * F.l1_loss(output, self._target(strategy, rows))
        if self.feature and len(clips := strategy.mb_x[old]):
            assert self.teacher is not None
            distance = feature_distance(strategy.model, self.teacher, self.layer, clips)
            self.terms["distillation/feature"] = self.feature * distance
        strategy.loss = strategy.loss + sum(self.terms.values())
        self.terms = {name: term.detach() for name, term in self.terms.items()}

    def _target(self, strategy: Any, rows: slice) -> Tensor:
        clean: Tensor = strategy.mb_y[rows]
        if self.target == "clean":
            return clean
        output = self._teacher(strategy.mb_x[rows])
        return output if self.tolerance is None else torch.where((output - clean).abs() > self.tolerance, clean, output)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """The model just trained becomes the teacher."""
        if self.target == "teacher":
            self._teacher.keep(strategy.model)

    def state_dict(self) -> dict[str, Any]:
        """The teacher's tensors, or None before the first task has ended."""
        return {"teacher": self._teacher.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` gave; the teacher is back when the next experience begins."""
        self._teacher.load_state_dict(state["teacher"])


def _misfit(weights: Mapping[str, float], target: str, tolerance: float | None, from_start: bool) -> str | None:
    """What is wrong with the arguments of a `Distillation`, and what to change; None if nothing is."""
    if min(weights.values()) < 0:
        return "weights review {review}, new {new} and feature {feature}; give 0 or more".format(**weights)
    if target not in TARGETS or (target == "clean" and weights["feature"]):
        return (
            f"target {target!r} with feature {weights['feature']}; choose {' or '.join(TARGETS)}, and feature 0 with "
            "clean"
        )
    if from_start and target == "clean":
        return "from_start with target 'clean', which has no old model; leave it out"
    if tolerance is not None and (tolerance < 0 or target == "clean"):
        return f"tolerance {tolerance} with target {target!r}; give 0 or more, and null with clean"
    return None
