"""The terms of a loss, shown to callbacks and sent to loggers.

Not with Lightning's `self.log`: it keeps an object a name, ready for reductions over an epoch that are not wanted here,
and lets the loggers write their files at every step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor


def named_terms(plugin: Any) -> Mapping[str, Tensor] | None:
    """What a plugin says by its `terms` that it adds to the loss; None if it has none, or something else so called."""
    terms = getattr(plugin, "terms", None)
    named = isinstance(terms, Mapping) and all(isinstance(value, Tensor | float | int) for value in terms.values())
    if not named or terms is None:
        return None
    return {str(name): torch.as_tensor(value).detach() for name, value in terms.items()}


def add_terms(strategy: Any, kwargs: Mapping[str, Any]) -> None:
    """Triggers `before_backward` of the plugins one by one, and names in `strategy.terms` what each adds to the loss.

    Whether one added something is seen from the tensor and its version, not its value: the names are then the same in
    every process, and the device is not waited for.
    """
    before = strategy.loss.detach().clone()  # a clone, because most plugins add in place
    strategy.terms = {"data": before}
    for plugin in strategy.plugins:
        if hasattr(plugin, "before_backward"):
            loss, version = strategy.loss, strategy.loss._version
            plugin.before_backward(strategy, **kwargs)
            own = named_terms(plugin)
            if strategy.loss is not loss or version != loss._version:
                after = strategy.loss.detach().clone()
                strategy.terms.update({type(plugin).__name__: after - before} if own is None else own)
                before = after


@dataclass
class Terms:
    """Shows the terms of the loss during one fit.

    Attributes:
        steps: of the optimizer, when they were last looked at.
    """

    steps: int = 0

    def show(self, trainer: Trainer, loss: Tensor, terms: Mapping[str, Tensor], step: int) -> None:
        """Shows callbacks every term of a batch, and sends all of them to the loggers at each of their steps.

        Args:
            trainer: whose callbacks and loggers.
            loss: the whole.
            terms: its parts by name; `data` is what is learned.
            step: the x axis: of Avalanche's clock, because a new Trainer restarts its own count.
        """
        named = {f"train/{name}": value for name, value in terms.items()}
        # How strong a penalty is beside what is learned: the number by which its weight is chosen.
        ratios = {f"train/{name}_to_data": terms[name] / terms["data"] for name in terms if name != "data"}
        shown = {"train/loss": loss, **named, **ratios}
        trainer.callback_metrics.update(shown, step=torch.tensor(float(step)))
        if trainer.loggers and self._is_logging_step(trainer):
            numbers = {name: float(value) for name, value in shown.items()}
            for logger in trainer.loggers:
                logger.log_metrics(numbers, step=step)

    def _is_logging_step(self, trainer: Trainer) -> bool:
        """Whether an optimizer step was taken just now, and Lightning's `log_every_n_steps` wants it."""
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]  # set by a part of the Trainer
        before, self.steps = self.steps, trainer.global_step
        return self.steps > before and every > 0 and (self.steps % every == 0 or trainer.should_stop)
