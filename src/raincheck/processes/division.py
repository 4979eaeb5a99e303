"""One batch, several processes: each loads some of its rows and sends them through the network; all hold the whole.

So everything else (plugins, losses, memories, metrics) works on the same whole batch in every process, as if there
were only one, and comes to the same result without knowing of the others. Whatever the size of a batch, the gradient
is that of one process: `gather` hands back to each its own rows of the gradient, times the number of processes, over
which DistributedDataParallel takes the mean; what does not go through the divided network has the same gradient in
all, which the mean leaves as it is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from raincheck import generators
from raincheck.processes.agreement import first_does
from raincheck.processes.gathering import gather, share
from raincheck.processes.group import Group, joined

_divides: Group | None = None
_whole: int | None = None  # rows of the batch of which a share is being computed


@contextmanager
def together(size: int) -> Iterator[None]:
    """Divides batches among the processes, for a strategy that has `size` of them.

    The generators of all processes (Python, NumPy, torch) become those of the first.
    """
    global _divides
    outer, _divides = _divides, joined() if size > 1 else None
    try:
        with generators.no_reseeding():
            if _divides and not outer:
                generators.set_generators(first_does(generators.generators))
            yield
    finally:
        _divides = outer


def dividing() -> Group | None:
    """The processes that divide batches at the moment; None in a program of one, and outside of `together`."""
    return _divides


def group(rows: int) -> Group | None:
    """The processes that divide a batch of `rows` rows; None if each works on the whole of it.

    They do so in a program of one process, and where there are fewer rows than processes.
    """
    return _divides if _divides and rows >= _divides.size else None


def divided(function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """`function(rows)`, of which each process computes some; for functions that treat every row by itself."""
    among = group(len(rows))
    if among is None:
        return function(rows)
    with _sharing(len(rows)):
        mine = function(rows[share(len(rows), among.rank, among.size)])
    whole: Tensor = gather(mine, len(rows), among)
    return whole


@contextmanager
def _sharing(rows: int) -> Iterator[None]:
    global _whole
    _whole = rows
    try:
        yield
    finally:
        _whole = None


def altogether(rows: int) -> int:
    """Rows of the whole batch, of which this process computes `rows` in the call that is under way."""
    return rows if _whole is None else _whole


def divided_forward(strategy: Any, forward: Callable[[], Any]) -> Any:
    """What an Avalanche strategy's `forward` returns for its batch, of which each process computes some rows."""
    rows = len(strategy.mbatch[0]) if _divides else 0  # one process is not asked what a batch is
    among = group(rows)
    if among is None:
        return forward()
    whole, mine = strategy.mbatch, share(rows, among.rank, among.size)
    strategy.mbatch = [part[mine] for part in whole]
    try:
        # The numbers are for dropout.
        with generators.own_numbers(among.rank, strategy.clock.train_iterations), _sharing(rows):
            output = forward()
    finally:
        strategy.mbatch = whole
    return gather(output, rows, among)
