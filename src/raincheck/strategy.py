"""LightningStrategy: Avalanche strategies and their plugins, unmodified, trained by Lightning's Trainer.

This is an *Avalanche* strategy, not a `lightning.pytorch.strategies.Strategy`; the latter is chosen by
`trainer={"strategy": ...}`. Here, and in what is refused (seam/refusals.py), both frameworks are known.

`LightningLoop` replaces Avalanche's two inner loops, `_train_exp` and `eval_epoch`. What else it overrides does what
Avalanche's does, and one thing more: `train` and `eval` have several processes meet, `forward` divides the rows among
them, `make_optimizer` leaves out what was left out, `_before_backward` names what each plugin adds to the loss.
Everything else (experiences, model adaptation, data loaders, plugins, evaluators) stays Avalanche's, and so does the
order of events: on the CPU the weights are bit for bit those of Avalanche's own loop.
"""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from avalanche.distributed import DistributedHelper
from avalanche.training.templates import SupervisedTemplate
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.optim import Optimizer

from raincheck.errors import ConfigError
from raincheck.processes import division, is_first
from raincheck.seam.attributes import attributes
from raincheck.seam.callbacks import Callbacks
from raincheck.seam.deferred import DeferredLoader
from raincheck.seam.forgetful import kept_in
from raincheck.seam.gradients import hidden
from raincheck.seam.groups import left_out, to_hide
from raincheck.seam.launch import QUIET, meet, no_search_for_gpus, placed, quiet
from raincheck.seam.loops import EvalLoop, FitLoop
from raincheck.seam.own_epoch import OwnEpochLoop
from raincheck.seam.own_generators import Alone
from raincheck.seam.parts import Parts
from raincheck.seam.refusals import (
    has_own_epoch,
    refuse_accumulation,
    refuse_clipping,
    refuse_no_optimizer,
    refuse_other_loops,
    refuse_other_meanings,
    refuse_other_order,
    refuse_several,
    refuse_useless,
    steps_itself,
)
from raincheck.seam.resuming import Resumable
from raincheck.seam.swallowed import let_through
from raincheck.seam.terms import add_terms
from raincheck.seam.trainer import ExperienceTrainer, requeue, trainer_plugins
from raincheck.seam.whole_epoch import WholeEpochLoop


class LightningLoop(Resumable):
    """Mixin that runs an Avalanche strategy's loops in Lightning: `class MyDER(LightningLoop, DER)`.

    Args:
        *args: the strategy's own arguments, unchanged.
        trainer: arguments of `lightning.Trainer`, for each experience by itself (`max_steps`, `limit_train_batches`).
            Unless it says otherwise there is no logger, no checkpoint, no
            progress bar, no sanity check, and nothing is written to the working directory. Entries of `callbacks`
            may be factories, called anew for every experience; of the instances, EarlyStopping, ModelCheckpoint and
            WeightAveraging start every experience afresh and all others keep their state.
        reset_optimizer: forget the optimizer's state (momenta) at every new experience. The default keeps it, as
            Avalanche does; `run` resets it: experiments/results/optimizer_state.md found no difference in the end.
        checkpoints: folder for the states from which `resume` and `train` go on, bit for bit, after the process was
            killed. None keeps nothing, and so does, with a warning, a plugin, a callback of your own or a strategy's
            own code that may remember something and has no `state_dict` (nor, a callback, the hooks for checkpoints).
        save_every: seconds between two checkpoints within an experience; 0 saves after every step.
        **kwargs: the strategy's own keyword arguments, unchanged.

    Attributes:
        terms: the loss terms of the current iteration by name: `data` and one for every plugin that adds to the loss.
        last_fit: the Trainer of the last experience, to find what its callbacks found, such as the best checkpoint.

    Raises:
        ConfigError: if the strategy brings code that Lightning's loop would not run, or gradients are to be accumulated
            for a strategy or plugin that works on those of single batches, or clipped where a strategy's own code takes
            its steps.
    """

    terms: dict[str, Tensor]
    last_fit: Trainer | None = None

    # What Avalanche's template, the next class in line, provides.
    model: nn.Module
    optimizer: Optimizer
    plugins: list[Any]
    clock: Any
    device: torch.device
    dataloader: Any
    evaluator: Any
    loss: Tensor
    train_epochs: int
    _stop_training: bool
    _criterion: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        own = "__init__" in vars(cls)
        super().__init_subclass__(**kwargs)
        refuse_other_order(cls, LightningLoop)
        if not own:  # Avalanche has wrapped ours, to give positional arguments names that would be the wrong ones
            type.__delattr__(cls, "__init__")

    def __init__(
        self,
        *args: Any,
        trainer: Mapping[str, Any] | None = None,
        reset_optimizer: bool | None = None,
        checkpoints: str | Path | None = None,
        save_every: float = 60.0,
        **kwargs: Any,
    ) -> None:
        refuse_other_loops(type(self), LightningLoop)
        if reset_optimizer is not None and "reset_optimizer" in inspect.signature(super().__init__).parameters:
            kwargs["reset_optimizer"] = reset_optimizer  # FromScratchTraining has an argument of this name too
        super().__init__(*args, **kwargs)
        refuse_other_meanings(self)
        self.trainer_arguments = dict(trainer or {})
        self.reset_optimizer = bool(reset_optimizer)
        self.callbacks = Callbacks(self.trainer_arguments.get("callbacks"))
        self.checkpoints = kept_in(checkpoints, self, self.callbacks.lasting)
        self.save_every = save_every
        self.terms, self.adapted, self._fits = {}, {}, (-1, 0)
        self._processes: int | None = None  # known when they have met
        refuse_no_optimizer(self)
        refuse_useless(self.trainer_arguments)
        refuse_accumulation(self, self.trainer_arguments, self.callbacks.given)
        refuse_clipping(type(self), self.trainer_arguments)
        self._made, self._parts, self._alone = attributes(self), Parts(), Alone(None)
        self._left_out = left_out(self.optimizer, self.model, self._criterion)
        if self.checkpoints:
            requeue.hold()

    # Avalanche's events -----------------------------------------------------------------------------------------

    def make_optimizer(self, reset_optimizer_state: bool = False, **kwargs: Any) -> None:
        """The strategy's own `make_optimizer`, except that parameters left out of the optimizer stay out."""
        reset = reset_optimizer_state or self.reset_optimizer
        with hidden(self.model, to_hide(self._left_out, self.optimizer, self.model)):
            super().make_optimizer(reset_optimizer_state=reset, **kwargs)  # type: ignore[misc]

    def _train_exp(self, experience: Any, eval_streams: Any = None, **kwargs: Any) -> None:
        before, found = self.clock.train_iterations, self.found()
        fit = self._loop()(self, kwargs)
        self.last_fit = trainer = self._trainer(max_epochs=max(0, self.train_epochs))
        loader = DeferredLoader(fit, self.checkpoints is not None)
        self.callbacks.hand_over(trainer, fit)
        with quiet(), no_search_for_gpus(), fit.logging():
            let_through(lambda: trainer.fit(fit, loader, ckpt_path=found))
        self._settle()
        self.keep_nothing_drawn_alone()
        self.restorable("model", "optimizer")  # a warning now, if the state after the experience could not be
        if self.clock.train_iterations == before and self.train_epochs > 0 and fit.starved():
            raise ConfigError(
                f"experience {experience.current_experience} took no training step; give it data, at least one epoch, "
                "and no Trainer argument that ends training at once"
            )

    def _loop(self) -> type[FitLoop]:
        if steps_itself(type(self)):
            return WholeEpochLoop
        return OwnEpochLoop if has_own_epoch(type(self)) else FitLoop

    def eval_epoch(self, **kwargs: Any) -> None:
        """Avalanche's evaluation loop over `self.dataloader`, through `Trainer.validate`."""
        trainer, evaluation = self._trainer(), EvalLoop(self, kwargs)
        loader = DeferredLoader(evaluation, remembers=False)
        self.callbacks.hand_over(trainer, evaluation)
        with quiet(), evaluation.logging():
            let_through(lambda: trainer.validate(evaluation, dataloaders=loader, verbose=False))
        self._settle()

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Avalanche's, by all processes together."""
        self._parts.learn(self)
        with self._together():
            return super().train(*args, **kwargs)  # type: ignore[misc]

    def eval(self, *args: Any, **kwargs: Any) -> Any:
        """As above."""
        with self._together():
            return super().eval(*args, **kwargs)  # type: ignore[misc]

    def forward(self, **kwargs: Any) -> Any:
        """The strategy's own; several processes divide the rows."""
        return division.divided_forward(self, partial(super().forward, **kwargs))  # type: ignore[misc]

    def _before_backward(self, **kwargs: Any) -> None:
        """Triggers the plugins one by one, to name what each adds to the loss."""
        add_terms(self, kwargs)

    # Lightning's Trainer ----------------------------------------------------------------------------------------

    @contextmanager
    def _together(self) -> Iterator[None]:
        with division.together(self._meet()), _undistributed():
            yield

    def _meet(self) -> int:
        """Has the processes meet; returns how many there are."""
        if self._processes is None:
            # Before Avalanche's events, in which plugins put what they remember where the model is.
            self._processes, self.device = meet(self.trainer_arguments, self.device)
            if self._processes > 1:
                refuse_several(self)
            if not is_first():
                self.evaluator.loggers = []
        return self._processes

    def _trainer(self, **kwargs: Any) -> Trainer:
        """A fresh Trainer: one that has been fitted would silently run zero epochs."""
        callbacks = self.callbacks.to_fit() if "max_epochs" in kwargs else self.callbacks.to_evaluate()
        checkpointing = {"enable_checkpointing": any(isinstance(callback, ModelCheckpoint) for callback in callbacks)}
        plugins = trainer_plugins(self.trainer_arguments.get("plugins"), requeue=self.checkpoints is not None)
        with quiet():
            trainer = ExperienceTrainer(
                **{**QUIET, **checkpointing, **placed(self.trainer_arguments, self.device), **kwargs}
                | {"callbacks": callbacks, "plugins": plugins}
            )
        if self.trainer_arguments.get("logger") is True:  # Lightning has just made one, which is to be the only one
            self.trainer_arguments["logger"] = trainer.loggers
        return trainer

    def _settle(self) -> None:
        """Undoes Lightning's teardown, which moves the model to the CPU where `after_training_exp` looks for it."""
        self.model.to(self.device)


@contextmanager
def _undistributed() -> Iterator[None]:
    """Keeps Avalanche's loaders from another division of their own, and of batches that are not the whole's.

    They begin it wherever there is a torch.distributed group, with the same order in every epoch.
    """
    kind = type(DistributedHelper)
    theirs = kind.is_distributed
    kind.is_distributed = property(lambda _: False)
    try:
        yield
    finally:
        kind.is_distributed = theirs


class LightningStrategy(LightningLoop, SupervisedTemplate):
    """Avalanche's `SupervisedTemplate` with Lightning's Trainer inside.

    Takes all keyword arguments of the template unchanged, and those of `LightningLoop`.
    """
