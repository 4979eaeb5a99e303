"""Dark experience replay, dense: the network is held to its outputs on old clips when it had just learned them."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.plugins.evaluating import evaluating
from raincheck.plugins.memory import ClipMemory, Parts, as_input
from raincheck.video.pixels import to_uint8


class DER(ClipMemory):
    """DER and DER++ (Buzzega et al. 2020) for pictures: mean squared error to stored outputs in place of logits.

    Kept are the rainy clip and the network's output at the end of the clip's task, in evaluation mode and as uint8
    (its error, at most half a grey level, is far below any network's); with `beta` the clean centre too. The paper
    fills its memory during training, by reservoir sampling; here every task has an equal share, filled at its end.

    Args:
        alpha: weight of the term on stored outputs, named `der/output`.
        beta: weight of the run's own loss on another draw of stored clips, named `der/clean`; above 0 it is DER++.
        budget: bytes of memory for all old tasks together, stored outputs included.
        batch: clips a step for each term.
        seed: of the choice of clips. None leaves it to the run, whose own seed it becomes, and is 0 elsewhere.

    Attributes:
        terms: what was added to the loss last.

    Raises:
        ConfigError: if a weight is negative; before training, if a task's share of the budget would not hold one clip.
    """

    def __init__(
        self,
        alpha: float = 10.0,
        beta: float = 0.0,
        budget: int = 32 * 2**20,
        batch: int = 4,
        seed: int | None = None,
    ) -> None:
        super().__init__(budget, batch, seed)
        if alpha < 0 or beta < 0:
            raise ConfigError(f"DER cannot have weights alpha {alpha} and beta {beta}; give 0 or more")
        self.alpha, self.beta = alpha, beta
        self.terms: dict[str, Tensor] = {}

    def parts(self, strategy: Any, index: int) -> Parts:
        """Rainy clip and present output, with `beta` the clean centre too."""
        kept = super().parts(strategy, index)
        with torch.no_grad(), evaluating(strategy.model):
            output = strategy.model(as_input(kept["rainy"][None], strategy))[0]
        kept["output"] = to_uint8(output).cpu()
        return kept if self.beta else {name: kept[name] for name in ("rainy", "output")}

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Adds the terms to the loss."""
        self.terms = {}
        if not self.tasks:
            return
        if self.alpha:
            clips, _ = self.draw(strategy)
            self.terms["der/output"] = self.alpha * F.mse_loss(strategy.model(clips["rainy"]), clips["output"])
        if self.beta:
            clips, _ = self.draw(strategy, salt=(1,))
            self.terms["der/clean"] = self.beta * strategy._criterion(strategy.model(clips["rainy"]), clips["clean"])
        strategy.loss = strategy.loss + sum(self.terms.values())
        self.terms = {name: term.detach() for name, term in self.terms.items()}
