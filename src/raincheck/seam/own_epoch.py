"""A strategy's own `training_epoch` under Lightning, where its source allows it."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from raincheck.seam.gradients import multiply
from raincheck.seam.loops import FitLoop

STOP = "if self._stop_training:\n    break"


class OwnEpochLoop(FitLoop):
    """A strategy's own `training_epoch`, run one batch at a time inside Lightning's optimizer steps.

    Lightning gives the hook `optimizer_step` a closure that computes and backpropagates the loss. A `training_epoch`
    that `is_plain_epoch` accepts runs there; its `backward` is the closure, its `optimizer_step` Lightning's.
    """

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
        self.batch = self.strategy.mbatch = batch
        stopped = self.strategy._stop_training and asks_to_stop(self.strategy.training_epoch)
        return -1 if self.halted or stopped else None

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None) -> None:
        strategy, own, loader, forward = self.strategy, vars(self.strategy), self.strategy.dataloader, ExitStack()
        plugins = {name: own[name] for name in ("backward", "optimizer_step") if name in own}  # some have their own

        def back(name: str, ours: Callable[[], None]) -> None:
            if own.get(name) is ours:
                del own[name]
                own.update({name: plugins[name]} if name in plugins else {})

        def one_batch() -> Iterator[Any]:
            strategy.dataloader = loader
            yield self.batch

        def backward() -> None:
            forward.close()
            back("backward", backward)  # the closure calls the strategy's
            optimizer_closure()
            multiply(self.model, 1 / self.scale)  # in between plugins look at them

        def step() -> None:
            back("optimizer_step", step)  # as above
            multiply(self.model, self.scale)
            self._step(lambda: strategy.loss)

        own.update(dataloader=one_batch(), backward=backward, optimizer_step=step)
        try:
            with forward:
                forward.enter_context(self.trainer.precision_plugin.train_step_context())
                strategy.training_epoch(**self.kwargs)
        finally:
            back("backward", backward)
            back("optimizer_step", step)

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

    It must be nothing but `for self.mbatch in self.dataloader:`, leave that loop only by a first statement
    `if self._stop_training: break`, call `self.backward()` and `self.optimizer_step()` once each, unconditionally, and
    find nothing in a local variable that an earlier batch left there.
    """
    loop = _only_loop(training_epoch)
    if loop is None:
        return False
    statements = [ast.unparse(statement) for statement in loop.body]
    code, given = training_epoch.__code__, inspect.signature(training_epoch).parameters
    local = _names(ast.walk(loop), ast.Store) | {*code.co_varnames, *code.co_cellvars}.difference(given, {"self"})
    exits = sum(isinstance(n, (ast.Break, ast.Continue, ast.Return, ast.Yield, ast.YieldFrom)) for n in ast.walk(loop))
    return (
        (ast.unparse(loop.target), ast.unparse(loop.iter)) == ("self.mbatch", "self.dataloader")
        and exits == statements[:1].count(STOP)
        and all(statements.count(f"self.{call}()") == 1 for call in ("backward", "optimizer_step"))
        and not _reads_first(loop.body, local)
    )


def _reads_first(block: list[ast.stmt], names: set[str]) -> bool:
    """Whether code may read one of some names before it has set it; where that is hard to say, that it may."""
    names = set(names)
    for statement in block:
        parts: list[ast.AST] = [statement, *getattr(statement, "handlers", []), *getattr(statement, "cases", [])]
        blocks = [b for part in parts for name in ("body", "orelse", "finalbody") if (b := getattr(part, name, None))]
        inner = {id(node) for inside in blocks for one in inside for node in ast.walk(one)}
        outer = [node for node in ast.walk(statement) if id(node) not in inner]
        stored, read = _names(outer, ast.Store), _names(outer, ast.Load)
        read |= stored if isinstance(statement, ast.AugAssign) else set()
        of_comprehensions = {name for node in outer if isinstance(node, ast.comprehension)
                             for name in _names(ast.walk(node.target), ast.Store)}  # fmt: skip
        if read & names - of_comprehensions or any(_reads_first(inside, names - stored) for inside in blocks):
            return True
        if not blocks:  # else it may not come by there
            names -= stored
    return False


def _names(nodes: Iterable[ast.AST], how: type[ast.expr_context]) -> set[str]:
    """The names that are stored, or read, by some nodes."""
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, how)}


@cache
def _asks_to_stop(training_epoch: Callable[..., Any]) -> bool:
    loop = _only_loop(training_epoch)
    return loop is not None and ast.unparse(loop.body[0]) == STOP


def asks_to_stop(training_epoch: Callable[..., Any]) -> bool:
    """Whether such a `training_epoch` leaves its loop when the experience has been stopped; others finish it."""
    return _asks_to_stop(getattr(training_epoch, "__func__", training_epoch))


def _only_loop(training_epoch: Callable[..., Any]) -> ast.For | None:
    """The loop that is all of a `training_epoch`, None if it is anything else."""
    try:
        function = ast.parse(textwrap.dedent(inspect.getsource(training_epoch))).body[0]
    except (OSError, TypeError, SyntaxError):
        return None  # no source to read, as in an interactive session
    if not isinstance(function, ast.FunctionDef) or function.decorator_list:
        return None
    body = function.body[ast.get_docstring(function) is not None :]
    return body[0] if len(body) == 1 and isinstance(body[0], ast.For) and not body[0].orelse else None
