"""A share of a batch's rows for each process, and the whole again, through which gradients find their way back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.utils._pytree import tree_map_only

from raincheck.errors import ConfigError
from raincheck.processes.group import Group

_in_step = False


def share(rows: int, rank: int, size: int) -> slice:
    """The rows of a batch that are one process's: disjoint, in order, as even as can be."""
    each, more = divmod(rows, size)
    start = rank * each + min(rank, more)
    return slice(start, start + each + (rank < more))


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
                f"several processes cannot divide a batch that comes with a tensor of shape {tuple(mine.shape)}, "
                "which does not have one row a sample; leave it out or use one process"
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


@contextmanager
def step() -> Iterator[None]:
    """Around the backward pass over whose gradients DistributedDataParallel takes the mean."""
    global _in_step
    outer, _in_step = _in_step, True
    try:
        yield
    finally:
        _in_step = outer
