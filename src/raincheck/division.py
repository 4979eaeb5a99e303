"""One batch, several processes: each loads some of its rows and sends them through the network; all hold the whole.

So everything else (plugins, losses, memories, metrics) works on the same whole batch in every process, as if there
were only one, and comes to the same result without knowing of the others. Whatever the size of a batch, the gradient
is that of one process: `gather` hands back to each its own rows of the gradient, times the number of processes, over
which DistributedDataParallel takes the mean; what does not go through the divided network has the same gradient in
all, which the mean leaves as it is.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.utils._pytree import tree_map_only
from torch.utils.data import DataLoader, Dataset, IterableDataset

from raincheck import generators, processes
from raincheck.errors import ConfigError, RaincheckError
from raincheck.processes import Group

_divides: Group | None = None
_in_step = False
_whole: int | None = None  # rows of the batch of which a share is being computed


@contextmanager
def together(size: int) -> Iterator[None]:
    """Divides batches among the processes, for a strategy that has `size` of them.

    The generators of all processes (Python, NumPy, torch) become those of the first.
    """
    global _divides
    outer, _divides = _divides, processes.joined() if size > 1 else None
    try:
        with generators.no_reseeding():
            if _divides and not outer:
                generators.set_generators(processes.first_does(generators.generators))
            yield
    finally:
        _divides = outer


@contextmanager
def step() -> Iterator[None]:
    """Around the backward pass over whose gradients DistributedDataParallel takes the mean."""
    global _in_step
    outer, _in_step = _in_step, True
    try:
        yield
    finally:
        _in_step = outer


def group(rows: int) -> Group | None:
    """The processes that divide a batch of `rows` rows; None if each works on the whole of it.

    They do so in a program of one process, and where there are fewer rows than processes.
    """
    return _divides if _divides and rows >= _divides.size else None


def share(rows: int, rank: int, size: int) -> slice:
    """The rows of a batch that are one process's: disjoint, in order, as even as can be."""
    each, more = divmod(rows, size)
    start = rank * each + min(rank, more)
    return slice(start, start + each + (rank < more))


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


def gather(mine: Any, rows: int, among: Group) -> Any:
    """Puts together what the processes have for their rows; gradients find their way back.

    Args:
        mine: a tensor with this process's rows, or a structure of such.
        rows: of the whole.
        among: who takes part.

    Raises:
        ConfigError: for a tensor without a row for each of the batch's; when differentiated outside a `step`.
    """
    return tree_map_only(Tensor, lambda tensor: _Gather.apply(tensor, rows, among), mine)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, mine: Tensor, rows: int, among: Group) -> Tensor:
        parts = [share(rows, rank, among.size) for rank in range(among.size)]
        ctx.mine, ctx.size = parts[among.rank], among.size
        sizes = [part.stop - part.start for part in parts]
        if not mine.ndim or len(mine) != sizes[among.rank]:
            raise ConfigError(
                f"several processes cannot divide a batch whose rows meet a tensor of shape {tuple(mine.shape)}, which "
                "has not one row for each; leave it out or use one process"
            )
        # As bytes, which every backend can send; padded, because every backend wants equal sizes.
        row = mine.detach().reshape(len(mine), -1).contiguous().view(torch.uint8)
        if len(row) < sizes[0]:
            row = torch.cat([row, row.new_zeros(sizes[0] - len(row), row.shape[1])])
        received = [torch.empty_like(row) for _ in sizes]
        dist.all_gather(received, row, group=None if row.is_cuda else among.words)
        whole = torch.cat([part[:size] for part, size in zip(received, sizes, strict=True)])
        return whole.view(mine.dtype).reshape(rows, *mine.shape[1:])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        if not _in_step:
            raise ConfigError(
                "a plugin or strategy differentiates the output of the batch, of which each process holds a part; "
                "use one process, or leave it out"
            )
        return gradients[0][ctx.mine] * ctx.size, None, None


def whole_batches(loader: Iterable[Any], key: int) -> Iterator[Any]:
    """An iterator over the batches of a loader, in each process whole and the same.

    Of a torch DataLoader, or a loader that makes one for every pass as Avalanche's do, every process draws the same
    indices and loads its share of the rows. Of any other loader each process loads everything.

    Args:
        loader: whose batches are lists or tuples of tensors.
        key: another at every pass: what loading a row draws at random depends on it.

    Raises:
        RaincheckError: in all processes, what loading raised in any.
    """
    if _divides is None:
        return iter(loader)
    one_pass: Any = getattr(loader, "_get_loader", lambda: loader)()
    by_index = isinstance(one_pass, DataLoader) and not isinstance(one_pass.dataset, IterableDataset)
    if by_index and one_pass.batch_sampler is not None:
        return _gathered(_share_of(one_pass, _divides, key), _divides)
    return iter(loader)


def _gathered(batches: Iterable[tuple[int, Any]], among: Group) -> Iterator[Any]:
    iterator, end = iter(batches), (0, None)
    while True:
        error = None
        try:
            rows, batch = next(iterator, end)
        except RaincheckError as raised:
            error = raised
        processes.agree(error, among)
        if not rows:
            return
        yield gather(batch, rows, among) if rows >= among.size else batch


def _share_of(loader: DataLoader[Any], among: Group, key: int) -> DataLoader[Any]:
    """A copy of a loader that loads one process's share of each batch, and tells of how many rows."""
    mine, collate = _Share(loader.dataset, among.rank, among.size, key), _Counted(loader.collate_fn)
    twin = copy.copy(loader)
    # Past DataLoader's own guard, which is for what was computed from the data set; that stays the same.
    vars(twin).update(dataset=mine, collate_fn=collate, _iterator=None)
    return twin


class _Share(Dataset[Any]):
    """A process's share of a data set, batch by batch; it travels to the workers that load."""

    def __init__(self, dataset: Any, rank: int, size: int, key: int) -> None:
        self.dataset, self.rank, self.size, self.key = dataset, rank, size, key
        self.batches = 0

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, indices: list[int]) -> tuple[int, list[Any]]:
        self.batches += 1
        if len(indices) < self.size:
            return len(indices), self._load(indices)
        with generators.own_numbers(self.rank, self.key, self.batches):
            return len(indices), self._load(indices[share(len(indices), self.rank, self.size)])

    def _load(self, indices: list[int]) -> list[Any]:
        at_once = getattr(self.dataset, "__getitems__", None)
        items: list[Any] = at_once(indices) if at_once else [self.dataset[index] for index in indices]
        return items


class _Counted:
    """Collates what `_Share` fetched."""

    def __init__(self, collate: Callable[[list[Any]], Any]) -> None:
        self.collate = collate

    def __call__(self, fetched: tuple[int, list[Any]]) -> tuple[int, Any]:
        rows, items = fetched
        return rows, self.collate(items)
