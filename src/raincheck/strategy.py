"""LightningStrategy: Avalanche strategies and their plugins, unmodified, trained by Lightning's Trainer.

This is an *Avalanche* strategy, not a `lightning.pytorch.strategies.Strategy`; the latter is chosen by
`trainer={"strategy": ...}`. It is the only file of raincheck that knows both frameworks.

`LightningLoop` replaces only Avalanche's two inner loops, `_train_exp` and `eval_epoch`. Everything around them
(experiences, model adaptation, data loaders, plugins, evaluators) stays Avalanche's, and the order of events inside
them is Avalanche's too: on the CPU the weights are bit for bit those of Avalanche's own loop.
"""

import copy
import inspect
from collections.abc import Mapping
from typing import Any

import torch
from avalanche.models.dynamic_optimizers import update_optimizer
from avalanche.training.plugins import AGEMPlugin, GEMPlugin, GSS_greedyPlugin, RWalkPlugin
from avalanche.training.templates import SupervisedTemplate
from avalanche.training.templates.update_type.sgd_update import SGDUpdate
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    GradientAccumulationScheduler,
    ModelCheckpoint,
    WeightAveraging,
)
from torch import Tensor, nn
from torch.optim import Optimizer

from raincheck.errors import ConfigError
from raincheck.loops import DeferredLoader, EvalLoop, FitLoop, OwnEpochLoop, is_plain_epoch, quiet

QUIET: dict[str, Any] = {
    "logger": False,
    "enable_model_summary": False,
    "enable_progress_bar": False,
    "num_sanity_val_steps": 0,
    # Avalanche evaluates under no_grad; tensors made in inference mode could not enter a later backward pass.
    "inference_mode": False,
}


TEMPLATES = "avalanche.training.templates"  # a strategy's methods that come from here are those that are replaced
WHOLE_GRADIENTS = (AGEMPlugin, GEMPlugin, GSS_greedyPlugin, RWalkPlugin)  # zero, project or add up gradients


class LightningLoop:
    """Mixin that runs an Avalanche strategy's loops in Lightning: `class MyDER(LightningLoop, DER)`.

    Args:
        *args: the strategy's own arguments, unchanged.
        trainer: arguments of `lightning.Trainer`. Unless it says otherwise there is no logger, no checkpoint, no
            progress bar, no sanity check, and nothing is written to the working directory. Entries of `callbacks`
            may be factories, called anew for every experience; of the instances, EarlyStopping, ModelCheckpoint and
            WeightAveraging start every experience afresh and all others keep their state.
        reset_optimizer: forget the optimizer's state (momenta) at every new experience. The default keeps it, as
            Avalanche does.
        **kwargs: the strategy's own keyword arguments, unchanged.

    Attributes:
        terms: the loss terms of the current iteration by name: `data` and one for every plugin that adds to the loss.
        last_fit: the Trainer of the last experience, to find what its callbacks found, such as the best checkpoint.

    Raises:
        ConfigError: if the strategy brings code that Lightning's loop would not run, or gradients are to be accumulated
            for a strategy or plugin that works on those of single batches.
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
    loss: Tensor
    train_epochs: int
    optimized_param_id: Any
    _stop_training: bool

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if any(other.__module__.startswith(TEMPLATES) for other in cls.__mro__[: cls.__mro__.index(LightningLoop)]):
            raise ConfigError(
                f"{cls.__name__} names LightningLoop after Avalanche's strategy; name LightningLoop first"
            )

    def __init__(
        self, *args: Any, trainer: Mapping[str, Any] | None = None, reset_optimizer: bool | None = None, **kwargs: Any
    ) -> None:
        _refuse_other_loops(type(self))
        if reset_optimizer is not None and "reset_optimizer" in inspect.signature(super().__init__).parameters:
            kwargs["reset_optimizer"] = reset_optimizer  # FromScratchTraining has an argument of this name too
        super().__init__(*args, **kwargs)
        self.trainer_arguments = dict(trainer or {})
        self.reset_optimizer = bool(reset_optimizer)
        self.terms = {}
        self._pristine = {
            id(callback): copy.deepcopy(vars(callback))
            for callback in self._callbacks()
            if isinstance(callback, (EarlyStopping, ModelCheckpoint, WeightAveraging))
        }
        self._refuse_accumulation()
        optimized = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        self._left_out = {name for name, p in self.model.named_parameters() if id(p) not in optimized}

    # Avalanche's events -----------------------------------------------------------------------------------------

    def make_optimizer(self, reset_optimizer_state: bool = False, **kwargs: Any) -> None:
        """Avalanche's `make_optimizer`, except that parameters left out of the optimizer stay out."""
        self.optimized_param_id = update_optimizer(
            self.optimizer,
            {name: p for name, p in self.model.named_parameters() if name not in self._left_out},
            self.optimized_param_id,
            reset_state=reset_optimizer_state or self.reset_optimizer,
            remove_params=kwargs.get("remove_params", False),
            verbose=kwargs.get("verbose_optimizer", False),
        )

    def _train_exp(self, experience: Any, eval_streams: Any = None, **kwargs: Any) -> None:
        before = self.clock.train_iterations
        fit = OwnEpochLoop(self, kwargs) if _has_own_epoch(type(self)) else FitLoop(self, kwargs)
        self.last_fit = trainer = self._trainer(max_epochs=self.train_epochs)
        with quiet():
            trainer.fit(fit, train_dataloaders=DeferredLoader(fit) if trainer.world_size == 1 else self.dataloader)
        self._settle(trainer)
        if self.clock.train_iterations == before and not (fit.halted or self._stop_training):
            raise ConfigError(
                f"experience {experience.current_experience} took no training step; give it data, at least one epoch, "
                "and no Trainer argument that ends training at once"
            )

    def eval_epoch(self, **kwargs: Any) -> None:
        """Avalanche's evaluation loop over `self.dataloader`, through `Trainer.validate`."""
        trainer = self._trainer()
        with quiet():
            trainer.validate(EvalLoop(self, kwargs), dataloaders=self.dataloader, verbose=False)
        self._settle(trainer)

    def _before_backward(self, **kwargs: Any) -> None:
        """Triggers the plugins one by one, to name what each adds to the loss."""
        self.terms = {"data": self.loss.detach().clone()}
        for plugin in self.plugins:
            if hasattr(plugin, "before_backward"):
                before = self.loss.detach().clone()  # a clone, because most plugins add in place
                plugin.before_backward(self, **kwargs)
                own = getattr(plugin, "terms", None)
                if own:
                    self.terms.update(own)
                else:
                    self._name_term(type(plugin).__name__, before)

    def _name_term(self, name: str, before: Tensor) -> None:
        added = self.loss.detach() - before
        if added.any() or not added.isfinite().all():
            self.terms[name] = added

    # Lightning's Trainer ----------------------------------------------------------------------------------------

    def _callbacks(self) -> list[Any]:
        given = self.trainer_arguments.get("callbacks") or []
        return list(given) if isinstance(given, (list, tuple)) else [given]

    def _refuse_accumulation(self) -> None:
        schedules = any(isinstance(callback, GradientAccumulationScheduler) for callback in self._callbacks())
        if schedules or self.trainer_arguments.get("accumulate_grad_batches", 1) != 1:
            names = [type(plugin).__name__ for plugin in self.plugins if isinstance(plugin, WHOLE_GRADIENTS)]
            names += [type(self).__name__] if _has_own_epoch(type(self)) else []
            if names:
                raise ConfigError(
                    f"{names[0]} works on the gradient of one batch, which gradient accumulation gives in parts; "
                    "leave accumulate_grad_batches at 1"
                )

    def _trainer(self, **kwargs: Any) -> Trainer:
        """A fresh Trainer: one that has been fitted would silently run zero epochs."""
        callbacks = [given if isinstance(given, Callback) else given() for given in self._callbacks()]
        if "max_epochs" in kwargs:  # to fit, and not to evaluate in the middle of a fit
            for callback in callbacks:
                if id(callback) in self._pristine:
                    vars(callback).update(copy.deepcopy(self._pristine[id(callback)]))
        else:  # what is evaluated are the weights as they are; averages take their place when the experience ends
            callbacks = [callback for callback in callbacks if not isinstance(callback, WeightAveraging)]
        checkpointing = {"enable_checkpointing": any(isinstance(callback, ModelCheckpoint) for callback in callbacks)}
        devices = {"accelerator": "gpu", "devices": [self.device.index or 0]}
        where = devices if self.device.type == "cuda" else {"accelerator": self.device.type, "devices": 1}
        chosen = self.trainer_arguments if {"accelerator", "devices"} & set(self.trainer_arguments) else where
        with quiet():
            trainer = Trainer(
                **{**QUIET, **checkpointing, **chosen, **self.trainer_arguments, **kwargs, "callbacks": callbacks}
            )
        self.device = trainer.strategy.root_device
        return trainer

    def _settle(self, trainer: Trainer) -> None:
        """Undoes Lightning's teardown, which moves the model to the CPU where `after_training_exp` looks for it."""
        self.model.to(self.device)
        if trainer.interrupted:
            raise KeyboardInterrupt


def _refuse_other_loops(strategy: type) -> None:
    """Raises ConfigError if a strategy brings code that Lightning's loop would not run."""
    mro = strategy.__mro__
    beyond = mro[mro.index(LightningLoop) + 1 :]
    replaced = dict.fromkeys(sorted(set(vars(LightningLoop)) - {"__init__", "__init_subclass__"}), beyond)
    # What a class in front of LightningLoop overrides is called, except for the update itself.
    for method, classes in {"training_epoch": mro, "optimizer_step": mro, **replaced}.items():
        owner = _owner(method, classes)
        if method == "training_epoch":
            ours = owner is SGDUpdate or is_plain_epoch(getattr(strategy, method))
        else:
            ours = owner.__module__.startswith(TEMPLATES) or not callable(getattr(owner, method, None))
        if not ours:
            raise ConfigError(
                f"{owner.__name__} replaces Avalanche's {method}, which Lightning would not call; "
                "use it with Avalanche's own loop, or as a plugin"
            )


def _owner(method: str, classes: tuple[type, ...]) -> type:
    return next((cls for cls in classes if method in vars(cls)), object)


def _has_own_epoch(strategy: type) -> bool:
    return _owner("training_epoch", strategy.__mro__) is not SGDUpdate


class LightningStrategy(LightningLoop, SupervisedTemplate):
    """Avalanche's `SupervisedTemplate` with Lightning's Trainer inside.

    Takes all keyword arguments of the template unchanged, and those of `LightningLoop`.
    """
