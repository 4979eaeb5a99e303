"""Gradient episodic memory, and its cheap average: gradients that would harm old clips are projected."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import quadprog
import torch
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.plugins.memory import ClipMemory
from raincheck.plugins.penalty import trainable

DEFINITE = 1e-6  # of the mean squared length of the references, added to the quadratic programme's diagonal


class AGEM(ClipMemory):
    """A-GEM (Chaudhry et al. 2019, equation 11) with a memory of clips and the run's own loss.

    At each step, the gradient of the loss on a batch from the memory is the reference; see `project`.

    Args:
        budget: bytes of memory for all old tasks together.
        batch: clips that the reference is computed from.
        seed: of the choice of clips. None leaves it to the run, whose own seed it becomes, and is 0 elsewhere.

    Raises:
        ConfigError: before training, if a task's share of the budget would not hold one clip.
    """

    # Of a part of an accumulated batch this is another method: the sum of projected parts need not fit the reference.
    whole_gradients = True

    def __init__(self, budget: int = 32 * 2**20, batch: int = 8, seed: int | None = None) -> None:
        super().__init__(budget, batch, seed)

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Projects the gradient."""
        if self.tasks:
            parameters = list(trainable(strategy.model).values())
            projected = self.projected(strategy, _flat([p.grad for p in parameters], parameters))
            for p, part in zip(parameters, torch.split(projected, [p.numel() for p in parameters]), strict=True):
                if p.grad is not None:
                    p.grad.copy_(part.view_as(p))

    def projected(self, strategy: Any, gradient: Tensor) -> Tensor:
        """The gradient `(p,)` as it may be, given the memory."""
        return project(gradient, self.reference(strategy, slice(None)))

    def reference(self, strategy: Any, tasks: slice, salt: tuple[int, ...] = ()) -> Tensor:
        """Gradient `(p,)` of the loss on clips of these tasks; `grad` of the weights is left as it is."""
        clips, _ = self.draw(strategy, tasks, salt)
        loss = strategy._criterion(strategy.model(clips["rainy"]), clips["clean"])
        parameters = list(trainable(strategy.model).values())
        return _flat(torch.autograd.grad(loss, parameters, allow_unused=True), parameters)


class GEM(AGEM):
    """GEM (Lopez-Paz and Ranzato 2017, equation 11): a constraint for every old task; see `project_all`.

    Every step costs a forward and a backward pass for each old task.

    Args:
        margin: lower bound of the dual variables, the paper's `gamma`: above 0 it favours old tasks.
        budget: bytes of memory for all old tasks together.
        batch: clips of each old task that its reference is computed from.
        seed: of the choice of clips. None leaves it to the run, whose own seed it becomes, and is 0 elsewhere.

    Raises:
        ConfigError: if the margin is negative; before training, if a task's share of the budget would not hold one
            clip.
    """

    def __init__(self, margin: float = 0.5, budget: int = 32 * 2**20, batch: int = 4, seed: int | None = None) -> None:
        super().__init__(budget, batch, seed)
        if margin < 0:
            raise ConfigError(f"GEM cannot have margin {margin}; give 0 or more")
        self.margin = margin

    def projected(self, strategy: Any, gradient: Tensor) -> Tensor:
        """The gradient `(p,)` as it may be, given each task's memory."""
        references = [self.reference(strategy, slice(task, task + 1), (task,)) for task in range(len(self.tasks))]
        return project_all(gradient, torch.stack(references), self.margin)


def project(gradient: Tensor, reference: Tensor) -> Tensor:
    """`g - (g.r / r.r) r` where `g.r` is negative, else `g`: the nearest that does not raise the reference's loss.

    Args:
        gradient: `(p,)`.
        reference: `(p,)`.
    """
    along = torch.dot(gradient, reference)
    return gradient - along / torch.dot(reference, reference) * reference if along < 0 else gradient


def project_all(gradient: Tensor, references: Tensor, margin: float = 0.0) -> Tensor:
    """`g + R^T v`, where `v` solves the dual `min 1/2 v^T R R^T v + (R g)^T v`, `v >= margin`, if any `r_k.g < 0`.

    Args:
        gradient: `(p,)`.
        references: `(tasks, p)`.
        margin: with 0 the result is the nearest vector whose products with the references are all 0 or more.
    """
    along = references @ gradient
    if (along >= 0).all():
        return gradient
    gram = (references @ references.T).double().cpu().numpy()
    gram += DEFINITE * gram.trace() / len(gram) * np.eye(len(gram))
    v = quadprog.solve_qp(gram, -along.double().cpu().numpy(), np.eye(len(gram)), np.full(len(gram), float(margin)))[0]
    return gradient + references.T @ torch.from_numpy(v).to(references)


def _flat(gradients: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> Tensor:
    """Gradients of parameters as one vector `(p,)`; those that are None are 0."""
    pairs = zip(gradients, parameters, strict=True)
    return torch.cat([torch.zeros_like(p).flatten() if g is None else g.flatten() for g, p in pairs])
