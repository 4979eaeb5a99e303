"""When the state within an experience is saved, and how it comes back."""

import math
import time
import warnings
from typing import Any

from lightning.pytorch.callbacks import StochasticWeightAveraging

from raincheck.errors import RaincheckWarning
from raincheck.processes import first_does
from raincheck.seam.base import Loop
from raincheck.seam.beginning import compare
from raincheck.seam.loaders import Holdings, altered, holdings, remembers
from raincheck.seam.parts import BUILT
from raincheck.seam.state import (
    avalanche_state,
    iteration_state,
    plain,
    restore_avalanche,
    restore_iteration,
    take_types,
)

LEARNERS = {"state_dict", "optimizer_states"}  # of a checkpoint, whose many tensors are looked at elsewhere


class SavingLoop(Loop):
    """A loop that learns, and saves what it has come to every `save_every` seconds."""

    def __init__(self, strategy: Any, kwargs: dict[str, Any]) -> None:
        super().__init__(strategy, kwargs)
        self._saved = time.monotonic()
        self._saving = False
        self._told = False
        self._fresh: Holdings = {}  # what the loader had to itself before its first pass

    def due(self) -> bool:
        """Whether a checkpoint is to be written now; all processes say the same."""
        if self.strategy.checkpoints is None or self._accumulating():
            return False
        every: float = self.strategy.save_every
        return first_does(lambda: time.monotonic() - self._saved >= every and not self._stopping() and self._exact())

    def _exact(self) -> bool:
        """Whether this epoch can be gone on with to the same bits; says so once if it cannot."""
        part = self._unknown()
        if part:
            self._tell(
                f"{part} keeps something from epoch to epoch that a checkpoint cannot save",
                "leave it out, or let a sampler draw from torch's global generator",
            )
        return part is None

    def _tell(self, why: str, instead: str) -> None:
        """Says once why nothing is saved within an experience, and what can be done about it."""
        if not self._told:
            self._told = True
            warnings.warn(
                f"{why}, so a killed run goes back to the experience's first epoch; {instead}",
                RaincheckWarning,
                stacklevel=3,
            )

    def _unknown(self) -> str | None:
        """What a new process would find otherwise, if there is anything."""
        callbacks = self.trainer.callbacks  # type: ignore[attr-defined]  # set by a part of the Trainer
        if any(isinstance(callback, StochasticWeightAveraging) for callback in callbacks):
            return "StochasticWeightAveraging"  # what it does when an epoch begins is not in its state
        if not self.strategy.clock.train_exp_epochs:
            return None  # it was made for this epoch
        if self.kwargs.get("persistent_workers"):
            return "persistent_workers"
        loader = self.strategy.dataloader
        return remembers(loader) or altered(self._fresh, holdings(loader))

    def _stopping(self) -> bool:
        """Whether the experience has been stopped, which no checkpoint holds: learned again, it is stopped again."""
        return bool(self.strategy._stop_training or self.trainer.should_stop)

    def _accumulating(self) -> bool:
        progress = self.trainer.fit_loop.epoch_loop.batch_progress.current
        return progress.ready % self.trainer.accumulate_grad_batches != 0

    def save_soon(self) -> None:
        """Asks for a checkpoint as soon as one can be exact."""
        self._saved = -math.inf

    def save(self) -> None:
        """Writes a checkpoint, where one could be restored."""
        self._saved = time.monotonic()
        self.strategy.keep_nothing_drawn_alone()
        if not self.strategy.restorable(*BUILT):
            return
        self._saving = True
        for logger in self.trainer.loggers:
            logger.save()  # what a logger holds back would be lost, and is not learned again
        self.trainer.save_checkpoint(self.strategy.unfinished, weights_only=False)
        self._saving, self._saved = False, time.monotonic()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what Lightning does not know."""
        if self._saving:  # and not a user's ModelCheckpoint, whose files are for other uses
            checkpoint["avalanche"] = avalanche_state(self.strategy)
            checkpoint["began"] = self.strategy._beginning
            checkpoint["iteration"] = iteration_state(self.strategy)
            for owner, state in checkpoint.get("callbacks", {}).items():
                plain(owner, state)
            for state in checkpoint["optimizer_states"]:
                plain(type(self.strategy.optimizer).__name__, state)
            plain("a callback", {n: v for n, v in checkpoint.items() if n not in LEARNERS}, "on_save_checkpoint")

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restores that, before Lightning restores the optimizer and its own loops."""
        first_does(lambda: compare(checkpoint["began"], self.strategy._beginning, self.strategy.unfinished))
        take_types(self, checkpoint["state_dict"])
        restore_avalanche(self.strategy, checkpoint["avalanche"])
        restore_iteration(self.strategy, checkpoint["iteration"])
