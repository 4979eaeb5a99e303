"""A strategy's own `training_epoch` under Lightning, run as it stands: it and Lightning's loop take turns."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import torch
from greenlet import greenlet

from raincheck.errors import ConfigError
from raincheck.seam.loops import FitLoop

END = object()  # in place of a batch, when Lightning has no more


class WholeEpochLoop(FitLoop):
    """Runs a strategy's `training_epoch` as a coroutine, which is handed the batches that Lightning comes by with.

    Both want to be the caller. A coroutine of the same thread lets both: torch's states of a thread (autocast, gradient
    mode) are as the code that runs has set them. The code takes its steps itself (Lightning's manual optimization), so
    that Lightning counts a step for each batch, and cannot clip, accumulate or scale gradients.
    """

    def __init__(self, strategy: Any, kwargs: dict[str, Any]) -> None:
        super().__init__(strategy, kwargs)
        self.automatic_optimization = False
        self._epoch: Any = None
        self._asked = False  # for a batch

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_epoch": None}

    @contextmanager
    def logging(self) -> Iterator[None]:
        """As of all loops; what an error has left unfinished ends with it."""
        try:
            with super().logging():
                yield
        finally:
            if self._epoch:  # is false when it has ended
                self._epoch.throw()

    def on_train_start(self) -> None:
        """As of all that learn.

        Raises:
            ConfigError: if gradients are to be scaled.
        """
        if getattr(self.trainer.precision_plugin, "scaler", None):
            raise ConfigError(
                f"{type(self.strategy).__name__} takes its steps itself, without the scaler of 16-mixed; use bf16-mixed"
            )
        super().on_train_start()

    def on_train_epoch_start(self) -> None:
        """Lets the code run until it wants its first batch."""
        super().on_train_epoch_start()
        if not self.halted:
            self._epoch, self.over = greenlet(self._run), False
            self._epoch.gr_context = copy_context()
            self._go_on()

    def _run(self) -> None:
        strategy, loader = self.strategy, self.strategy.dataloader
        strategy.dataloader = Handed(loader, self)
        try:
            strategy.training_epoch(**self.kwargs)
        finally:
            if isinstance(strategy.dataloader, Handed):
                strategy.dataloader = loader

    def _go_on(self, *batch: Any) -> None:
        """Lets the code run until it wants a batch."""
        with self.trainer.precision_plugin.train_step_context():
            self._epoch.switch(*batch)
        self.over = self._epoch.dead

    def batches(self) -> Iterator[Any]:
        """Those that the code is given in place of its loader's."""
        self._asked = True
        while (batch := self._epoch.parent.switch()) is not END:
            yield batch

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Whether a stopped experience goes on with this epoch is for the code to say."""

    def training_step(self, batch: Any, batch_idx: int) -> None:  # type: ignore[override]  # it returns no loss
        """Hands a batch over, and lets the code run until it wants another."""
        self.strategy.terms = {}
        self._go_on(batch)
        steps = self.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
        steps.increment_ready()
        steps.increment_completed()
        self._loss = torch.as_tensor(self.strategy.loss).detach()

    def _end_iteration(self) -> None:
        """The strategy's own code calls its events."""

    def on_train_epoch_end(self) -> None:
        """Ends the code's loop, and lets what comes after it run."""
        if self._epoch:
            self._go_on(END)
        super().on_train_epoch_end()

    def starved(self) -> bool:
        """Whether an experience without a step wanted for data; code may have had none in mind."""
        return self._asked and super().starved()

    def _exact(self) -> bool:
        """No checkpoint can hold where in its code a strategy is."""
        self._tell(
            f"{type(self.strategy).__name__} has a training_epoch of its own, and no checkpoint can hold how far it is",
            "have it go over the batches and nothing else, as docs/PARITY.md says",
        )
        return False


class Handed:
    """In the place of a strategy's loader until its batches are asked for, and for once."""

    def __init__(self, loader: Any, loop: WholeEpochLoop) -> None:
        self._loader, self._loop = loader, loop

    def __iter__(self) -> Iterator[Any]:
        first = self._loop.strategy.dataloader is self
        self._loop.strategy.dataloader = self._loader
        return self._loop.batches() if first else iter(self._loader)

    def __len__(self) -> int:
        return len(self._loader)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # a copy that is being made has no loader yet
            raise AttributeError(name)
        return getattr(self._loader, name)
