"""What Avalanche's inner loops share, as LightningModules.

Nothing here imports Avalanche: a `strategy` is whatever has the attributes and methods of its templates.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule

from raincheck.seam.swallowed import carry_all
from raincheck.seam.trainer import requeue


class Loop(LightningModule):
    """What the loops share. The strategy's model is registered, so that Lightning moves and wraps it."""

    _within: Sequence[LightningModule] = ()  # the model, that may be one itself

    def __init__(self, strategy: Any, kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.model = strategy.model
        self.strategy, self.kwargs = strategy, kwargs
        self.halted = False  # a plugin stopped the experience
        self.over = False  # no more batches are wanted in this epoch

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        carry_all(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        """Past torch's search for parameters and modules, for what Lightning notes twice at every hook."""
        if name == "_current_fx_name":
            for module in (self, *self._within):
                object.__setattr__(module, name, value)
        else:
            super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        """A copy, as weight averaging makes one, is of the model alone, not of plugins, memories and data."""
        state: dict[str, Any] = super().__getstate__()
        return {**state, "strategy": None, "kwargs": {}}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Nothing, though a Trainer calls it at every fit and evaluation: gradients are Avalanche's business."""

    def save_soon(self) -> None:
        """Asks for a checkpoint as soon as one can be exact; while nothing is learned, the last one is."""

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Lightning's, which takes batches apart and puts them together again, where there is something to move."""
        return batch if device.type == "cpu" else super().transfer_batch_to_device(batch, device, dataloader_idx)

    @contextmanager
    def logging(self) -> Iterator[None]:
        """Has the LightningModules that the model is made of log as this one, for as long as a Trainer runs it.

        And callbacks, which a Trainer gives its loop's `log`, as the loop before: an evaluation may be within a fit.
        """
        self._within = [module for module in self.model.modules() if isinstance(module, LightningModule)]
        before = [(module._trainer, module._current_fx_name) for module in self._within]
        callbacks = [vars(one) for one in self.strategy.callbacks.given if isinstance(one, Callback)]
        logs = [{name: own[name] for name in own.keys() & {"log", "log_dict"}} for own in callbacks]
        try:
            yield
        finally:
            for module, (trainer, hook) in zip(self._within, before, strict=True):
                vars(module).update(_trainer=trainer, _current_fx_name=hook)
            for own, log in zip(callbacks, logs, strict=True):
                own.update(log)

    def setup(self, stage: str) -> None:
        """Makes room for the Trainer's handler of SLURM's signal, and itself known to those that log as it does."""
        for module in self._within:
            module._trainer = self._trainer
        if self.strategy.checkpoints is not None:
            requeue.release()

    def teardown(self, stage: str) -> None:
        """Keeps that signal until the next loop begins."""
        if self.strategy.checkpoints is not None:
            requeue.hold()
