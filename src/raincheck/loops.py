"""Avalanche's two inner loops, laid out over the hooks of a LightningModule.

Nothing here imports Avalanche: a `strategy` is whatever has the attributes and methods of its templates.
"""

import ast
import inspect
import logging
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from lightning.pytorch import LightningModule
from torch import Tensor
from torch.optim import Optimizer

from raincheck.errors import ConfigError


class Loop(LightningModule):
    """What the loops share. The strategy's model is registered, so that Lightning moves and wraps it."""

    def __init__(self, strategy: Any, kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.model = strategy.model
        self.strategy, self.kwargs = strategy, kwargs

    def __getstate__(self) -> dict[str, Any]:
        """A copy, as weight averaging makes one, is of the model alone, not of plugins, memories and data."""
        state: dict[str, Any] = super().__getstate__()
        return {**state, "strategy": None, "kwargs": {}}


class FitLoop(Loop):
    """Avalanche's `SGDUpdate.training_epoch`, laid out over Lightning's hooks."""

    def __init__(self, strategy: Any, kwargs: dict[str, Any]) -> None:
        super().__init__(strategy, kwargs)
        self.halted = False  # a plugin stopped the experience
        self._earlier: list[Any] | None = None  # the gradients of earlier micro-batches, while accumulating

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
        self._earlier = self._gradients() if batch_idx % self.trainer.accumulate_grad_batches else None
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
        self._refuse_change(self._earlier)
        self._earlier = None
        unscaled, self.strategy.loss = self.strategy.loss, loss
        self.strategy.backward()
        self.strategy.loss = unscaled

    def on_after_backward(self) -> None:
        before = self._gradients() if self.trainer.accumulate_grad_batches > 1 else None
        self.strategy._after_backward(**self.kwargs)
        self._refuse_change(before)

    def _gradients(self) -> list[Any]:
        return [(p.grad, None if p.grad is None else p.grad._version) for p in self.model.parameters()]

    def _refuse_change(self, before: list[Any] | None) -> None:
        """Raises ConfigError if a plugin worked on gradients that are still being accumulated."""
        pairs = [] if before is None else zip(before, self._gradients(), strict=True)
        if any(old is not new or version != now for (old, version), (new, now) in pairs):
            raise ConfigError(
                "a plugin changes the gradients of single batches, which accumulate_grad_batches adds up; "
                "leave accumulate_grad_batches at 1, or leave out the plugin"
            )

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        self.strategy._before_update(**self.kwargs)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        self.strategy._after_update(**self.kwargs)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.strategy._after_training_iteration(**self.kwargs)
        self._log_terms()

    def _log_terms(self) -> None:
        named = self.strategy.terms
        terms = {f"train/{name}": value for name, value in named.items()}
        # How strong a penalty is beside what is learned: the number by which its weight is chosen.
        ratios = {f"train/{name}_to_data": named[name] / named["data"] for name in named if name != "data"}
        # A new Trainer restarts its own step count; the x axis of a stream is Avalanche's clock.
        step = float(self.strategy.clock.train_iterations)
        self.log_dict({"train/loss": self.strategy.loss.detach(), **terms, **ratios, "step": step})

    def on_train_epoch_end(self) -> None:
        if not self.halted:
            self.strategy._after_training_epoch(**self.kwargs)


class OwnEpochLoop(FitLoop):
    """A strategy's own `training_epoch`, run one batch at a time inside Lightning's optimizer steps.

    Lightning gives the hook `optimizer_step` a closure that computes and backpropagates the loss. A `training_epoch`
    that `is_plain_epoch` accepts runs there; its `backward` is the closure, its `optimizer_step` Lightning's.
    """

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
        self.batch = batch
        return -1 if self.halted or self.strategy._stop_training else None

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        _, _, optimizer, closure = args
        strategy, own, loader, forward = self.strategy, vars(self.strategy), self.strategy.dataloader, ExitStack()

        def one_batch() -> Iterator[Any]:
            strategy.dataloader = loader
            yield self.batch

        def backward() -> None:
            forward.close()
            del own["backward"]  # the closure calls the strategy's
            closure()

        own.update(dataloader=one_batch(), backward=backward)
        own["optimizer_step"] = partial(optimizer.step, closure=lambda: strategy.loss)
        try:
            with forward:
                forward.enter_context(self.trainer.precision_plugin.train_step_context())
                strategy.training_epoch(**self.kwargs)
        finally:
            strategy.dataloader = loader
            own.pop("backward", None)
            own.pop("optimizer_step")

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        loss: Tensor = self.strategy.loss
        return loss

    def on_after_backward(self) -> None:
        """The strategy's own code calls its events, these two and those of an iteration."""

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """As above."""

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self._log_terms()


def is_plain_epoch(training_epoch: Callable[..., Any]) -> bool:
    """Whether a strategy's `training_epoch` is one loop over the batches that can be run a batch at a time.

    It must be nothing but `for self.mbatch in self.dataloader:`, leave that loop only by `if self._stop_training:
    break`, and call `self.backward()` and `self.optimizer_step()` once each, unconditionally.
    """
    try:
        function = ast.parse(textwrap.dedent(inspect.getsource(training_epoch))).body[0]
    except (OSError, TypeError, SyntaxError):
        return False  # no source to read, as in an interactive session
    if not isinstance(function, ast.FunctionDef) or function.decorator_list:
        return False
    body = function.body[ast.get_docstring(function) is not None :]
    if len(body) != 1 or not isinstance(loop := body[0], ast.For) or loop.orelse:
        return False
    statements = [ast.unparse(statement) for statement in loop.body]
    exits = sum(isinstance(n, (ast.Break, ast.Continue, ast.Return, ast.Yield, ast.YieldFrom)) for n in ast.walk(loop))
    return (
        (ast.unparse(loop.target), ast.unparse(loop.iter)) == ("self.mbatch", "self.dataloader")
        and exits == statements.count("if self._stop_training:\n    break")
        and all(statements.count(f"self.{call}()") == 1 for call in ("backward", "optimizer_step"))
    )


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
