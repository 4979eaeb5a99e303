"""What Avalanche's inner loops share, as LightningModules.

Nothing here imports Avalanche: a `strategy` is whatever has the attributes and methods of its templates.
"""

from typing import Any

import torch
from lightning.pytorch import LightningModule

from raincheck.seam.swallowed import carry_all
from raincheck.seam.trainer import requeue


class Loop(LightningModule):
    """What the loops share. The strategy's model is registered, so that Lightning moves and wraps it."""

    def __init__(self, strategy: Any, kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.model = strategy.model
        self.strategy, self.kwargs = strategy, kwargs
        self.halted = False  # a plugin stopped the experience

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        carry_all(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        """Past torch's search for parameters and modules, for what Lightning notes twice at every hook."""
        if name == "_current_fx_name":
            object.__setattr__(self, name, value)
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

    def setup(self, stage: str) -> None:
        """Makes room for the Trainer's handler of SLURM's signal."""
        if self.strategy.checkpoints is not None:
            requeue.release()

    def teardown(self, stage: str) -> None:
        """Keeps that signal until the next loop begins."""
        if self.strategy.checkpoints is not None:
            requeue.hold()
