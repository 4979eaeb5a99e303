"""A strategy's own `training_epoch` under Lightning, where its source allows it."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from raincheck.seam.gradients import multiply
from raincheck.seam.loops import FitLoop


class OwnEpochLoop(FitLoop):
    """A strategy's own `training_epoch`, run one batch at a time inside Lightning's optimizer steps.

    Lightning gives the hook `optimizer_step` a closure that computes and backpropagates the loss. A `training_epoch`
    that `is_plain_epoch` accepts runs there; its `backward` is the closure, its `optimizer_step` Lightning's.
    """

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
        self.batch = self.strategy.mbatch = batch
        return -1 if self.halted or self.strategy._stop_training else None

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None) -> None:
        strategy, own, loader, forward = self.strategy, vars(self.strategy), self.strategy.dataloader, ExitStack()

        def one_batch() -> Iterator[Any]:
            strategy.dataloader = loader
            yield self.batch

        def backward() -> None:
            forward.close()
            del own["backward"]  # the closure calls the strategy's
            optimizer_closure()
            multiply(self.model, 1 / self.scale)  # in between plugins look at them

        def step() -> None:
            del own["optimizer_step"]  # as above
            multiply(self.model, self.scale)
            self._step(lambda: strategy.loss)

        own.update(dataloader=one_batch(), backward=backward, optimizer_step=step)
        try:
            with forward:
                forward.enter_context(self.trainer.precision_plugin.train_step_context())
                strategy.training_epoch(**self.kwargs)
        finally:
            own.pop("backward", None)
            own.pop("optimizer_step", None)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        loss: Tensor = self.strategy.loss
        return loss

    def on_after_backward(self) -> None:
        """The strategy's own code calls its events, these two and those of an iteration."""

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """As above."""

    def _end_iteration(self) -> None:
        """As above."""


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
