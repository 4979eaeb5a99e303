"""Avalanche's two inner loops, laid out over the hooks of a LightningModule.

Nothing here imports Avalanche: a `strategy` is whatever has the attributes and methods of its templates.
"""

from collections.abc import Callable
from typing import Any

from lightning.pytorch.callbacks import GradientAccumulationScheduler
from torch import Tensor
from torch.optim import Optimizer

from raincheck.processes import refuse_parted
from raincheck.processes.gathering import step
from raincheck.seam.base import Loop
from raincheck.seam.gradients import gradient_first, gradients, refuse_change, unscaled
from raincheck.seam.loaders import batches, counts, holdings
from raincheck.seam.saving import SavingLoop
from raincheck.seam.terms import Terms
from raincheck.seam.trainer import requeue

COMPARED = 100  # iterations from one comparison of several processes to the next


class FitLoop(SavingLoop):
    """Avalanche's `SGDUpdate.training_epoch`, laid out over Lightning's hooks."""

    def __init__(self, strategy: Any, kwargs: dict[str, Any]) -> None:
        super().__init__(strategy, kwargs)
        self._terms = Terms()
        self._earlier: list[Any] | None = None  # the gradients of earlier micro-batches, while accumulating
        self._batches: tuple[bool, int | None] | None = None  # of an epoch, as Lightning counted or did not count them

    def configure_optimizers(self) -> Optimizer | None:
        optimizer: Optimizer | None = self.strategy.optimizer
        # One that wraps another may have none; Lightning looks whether they are there, no more.
        if optimizer is not None and not hasattr(optimizer, "defaults"):
            optimizer.defaults = {}
        return optimizer

    def on_train_start(self) -> None:
        callbacks = self.trainer.callbacks  # type: ignore[attr-defined]  # set by a part of the Trainer
        self.strategy.check(callbacks)
        for callback in callbacks:
            # Lightning does not ask it in an epoch that is gone on with.
            if isinstance(callback, GradientAccumulationScheduler):
                callback.on_train_epoch_start(self.trainer)
        self._terms = Terms(self.trainer.global_step)
        self._batches = self._length()
        self._fresh = holdings(self.strategy.dataloader)
        # Callbacks that log, such as LearningRateMonitor, take this for their x axis; it goes on over all experiences.
        loop = self.trainer.fit_loop
        loop.epoch_loop._batches_that_stepped = self.strategy.clock.train_iterations - loop.restarting
        requeue.deliver()

    def on_train_epoch_start(self) -> None:
        if self.halted:  # the Trainer's `min_epochs` has it go on, without a batch
            return
        self.strategy._before_training_epoch(**self.kwargs)
        if self.strategy._stop_training:  # Avalanche asks here whether to run the epoch at all
            self.strategy._stop_training, self.halted = False, True
            self.trainer.should_stop = True
        elif self._length() != self._batches:  # a plugin has changed the loader, and Lightning counts batches
            self._batches = self._length()
            self.trainer.fit_loop._combined_loader = None
            self.trainer.fit_loop.setup_data()

    def _length(self) -> tuple[bool, int | None]:
        loader = self.strategy.dataloader
        return counts(loader), batches(loader)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
        self.strategy.mbatch = batch
        if self.halted or self.strategy._stop_training:
            return -1
        self.strategy._unpack_minibatch()
        self._earlier = gradients(self.model) if batch_idx % self.trainer.accumulate_grad_batches else None
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
        refuse_change(self.model, self._earlier)
        unscaled, self.strategy.loss = self.strategy.loss, loss
        with step():
            self.strategy.backward()
        if self.strategy.loss is loss:  # and not one that the strategy's own backward has put in its place
            self.strategy.loss = unscaled
        self._loss = self.strategy.loss.detach()  # an evaluation within the iteration empties the strategy's

    def on_after_backward(self) -> None:
        # GEM compares gradients with some that fp16's scaler has never seen.
        with unscaled(self.model, self.scale):
            before = gradients(self.model) if self.trainer.accumulate_grad_batches > 1 else None
            self.strategy._after_backward(**self.kwargs)
            refuse_change(self.model, before)

    @property
    def scale(self) -> float:
        """The factor that fp16's scaler puts on the loss."""
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        return scaler.get_scale() if scaler else 1.0

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        self.strategy._before_update(**self.kwargs)

    def configure_gradient_clipping(self, optimizer: Any, *how: Any, **named: Any) -> None:
        """Lightning's, where something is to be clipped."""
        if self.trainer.gradient_clip_val is not None:
            super().configure_gradient_clipping(optimizer, *how, **named)

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None) -> None:
        self._step(optimizer_closure)
        self.strategy._after_update(**self.kwargs)

    def _step(self, closure: Callable[[], Any]) -> None:
        """Lightning's step, in which the strategy's own is taken when there is a gradient."""
        optimizer = self.strategy.optimizer
        if self.trainer.optimizers[0] is not optimizer:
            self.trainer.strategy.optimizers = [optimizer]  # for checkpoints, and callbacks that look
        # Looked up late: until the gradient is there, a plugin may put another in its place.
        with gradient_first(optimizer, lambda: self.strategy.optimizer_step()):
            self.trainer.strategy.optimizer_step(optimizer, closure, self)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self._end_iteration()
        # Lightning counts the batch when this is over.
        self.trainer.fit_loop.epoch_loop._batches_that_stepped = self.strategy.clock.train_iterations - 1
        self._terms.show(self.trainer, self._loss, self.strategy.terms, self.strategy.clock.train_iterations)
        if self.strategy.clock.train_exp_iterations % COMPARED == 1:  # the first, and some later ones
            refuse_parted(self._loss)
        if self.trainer.is_last_batch:  # Lightning would pass over the end of an epoch that was saved here
            self.trainer.train_dataloader.finish()  # type: ignore[union-attr]  # the one that fit was given
        elif self.due():
            self.save()

    def _end_iteration(self) -> None:
        self.strategy._after_training_iteration(**self.kwargs)

    def on_train_epoch_end(self) -> None:
        if not self.halted:
            self.strategy._after_training_epoch(**self.kwargs)

    def starved(self) -> bool:
        """Whether an experience without a step wanted for data."""
        return not self.halted


class EvalLoop(Loop):
    """Avalanche's `eval_epoch`, as a validation loop."""

    def on_validation_model_eval(self) -> None:
        """The strategy has put the model into evaluation mode, and plugins may have changed that."""

    def on_validation_model_train(self) -> None:
        """The strategy restores it."""

    def on_validation_start(self) -> None:
        requeue.deliver()

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
        self.trainer.val_dataloaders.finish()  # type: ignore[union-attr]  # the one that validate was given
