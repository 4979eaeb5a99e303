"""Avalanche's two inner loops, laid out over the hooks of a LightningModule.

Nothing here imports Avalanche: a `strategy` is whatever has the attributes and methods of its templates.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning.pytorch import LightningModule
from torch import Tensor
from torch.optim import Optimizer


class Loop(LightningModule):
    """What the two loops share. The strategy's model is registered, so that Lightning moves and wraps it."""

    def __init__(self, strategy: Any, kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.model = strategy.model
        self.strategy, self.kwargs = strategy, kwargs


class FitLoop(Loop):
    """Avalanche's `SGDUpdate.training_epoch`, laid out over Lightning's hooks."""

    def __init__(self, strategy: Any, kwargs: dict[str, Any]) -> None:
        super().__init__(strategy, kwargs)
        self.halted = False  # a plugin stopped the experience

    def configure_optimizers(self) -> Optimizer:
        optimizer: Optimizer = self.strategy.optimizer
        return optimizer

    def on_train_epoch_start(self) -> None:
        self.strategy._before_training_epoch(**self.kwargs)
        if self.strategy._stop_training:  # Avalanche asks here whether to run the epoch at all
            self.strategy._stop_training, self.halted = False, True
            self.trainer.should_stop = True

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
        if self.halted or self.strategy._stop_training:
            return -1
        self.strategy.mbatch = batch
        self.strategy._unpack_minibatch()
        self.strategy._before_training_iteration(**self.kwargs)
        return None

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        strategy = self.strategy
        if batch_idx % self.trainer.accumulate_grad_batches == 0:
            # Here, as in Avalanche, because A-GEM, GEM and MIR compute gradients of their own later on.
            strategy.optimizer.zero_grad()
        strategy.loss = strategy._make_empty_loss()
        strategy._before_forward(**self.kwargs)
        strategy.mb_output = strategy.forward()
        strategy._after_forward(**self.kwargs)
        strategy.loss += strategy.criterion()
        # Inside the step, so that accumulation and mixed precision scale the penalties with the rest of the loss.
        strategy._before_backward(**self.kwargs)
        loss: Tensor = strategy.loss
        return loss

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: Optimizer) -> None:
        """Done before the forward pass."""

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        unscaled, self.strategy.loss = self.strategy.loss, loss
        self.strategy.backward()
        self.strategy.loss = unscaled

    def on_after_backward(self) -> None:
        self.strategy._after_backward(**self.kwargs)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        self.strategy._before_update(**self.kwargs)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        self.strategy._after_update(**self.kwargs)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.strategy._after_training_iteration(**self.kwargs)
        terms = {f"train/{name}": value for name, value in self.strategy.terms.items()}
        # A new Trainer restarts its own step count; the x axis of a stream is Avalanche's clock.
        step = float(self.strategy.clock.train_iterations)
        self.log_dict({"train/loss": self.strategy.loss.detach(), **terms, "step": step})

    def on_train_epoch_end(self) -> None:
        if not self.halted:
            self.strategy._after_training_epoch(**self.kwargs)


class DeferredLoader:
    """The experience's loader, not asked for an iterator before its first batch is wanted.

    Lightning asks at the start of a fit, Avalanche after `before_training_epoch`, and not at all when a plugin has
    stopped the experience; asking draws random numbers. Several processes need the loader itself, so that Lightning
    can give each its shard.
    """

    def __init__(self, fit: FitLoop) -> None:
        self.fit = fit

    def __len__(self) -> int:
        return len(self.fit.strategy.dataloader)

    def __iter__(self) -> Iterator[Any]:
        if not self.fit.halted:
            yield from self.fit.strategy.dataloader


class EvalLoop(Loop):
    """Avalanche's `eval_epoch`, as a validation loop."""

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        strategy = self.strategy
        strategy.mbatch = batch
        strategy._unpack_minibatch()
        strategy._before_eval_iteration(**self.kwargs)
        strategy._before_eval_forward(**self.kwargs)
        strategy.mb_output = strategy.forward()
        strategy._after_eval_forward(**self.kwargs)
        strategy.loss = strategy.criterion()
        strategy._after_eval_iteration(**self.kwargs)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps Lightning from announcing the hardware, and from advising on loaders that Avalanche made, at every fit."""
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    level = logger.level
    logger.setLevel(max(level, logging.WARNING))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*GPU available but not used.*")
        try:
            yield
        finally:
            logger.setLevel(level)
