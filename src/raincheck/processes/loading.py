"""Loading a batch together: each process loads some of its rows, and all hold the whole."""

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from torch.utils.data import DataLoader, Dataset, IterableDataset

from raincheck import generators
from raincheck.errors import RaincheckError
from raincheck.processes.agreement import agree
from raincheck.processes.division import dividing
from raincheck.processes.gathering import gather, share
from raincheck.processes.group import Group


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
    if (among := dividing()) is None:
        return iter(loader)
    one_pass: Any = getattr(loader, "_get_loader", lambda: loader)()
    by_index = isinstance(one_pass, DataLoader) and not isinstance(one_pass.dataset, IterableDataset)
    if by_index and one_pass.batch_sampler is not None:
        return _gathered(_share_of(one_pass, among, key), among)
    return iter(loader)


def _gathered(batches: Iterable[tuple[int, Any]], among: Group) -> Iterator[Any]:
    iterator, end = iter(batches), (0, None)
    while True:
        error = None
        try:
            rows, batch = next(iterator, end)
        except RaincheckError as raised:
            error = raised
        agree(error, among)
        if not rows:
            return
        yield gather(batch, rows, among) if rows >= among.size else batch


def _share_of(loader: DataLoader[Any], among: Group, key: int) -> DataLoader[Any]:
    """A copy of a loader that loads one process's share of each batch, and tells of how many rows."""
    mine, collate = _Share(loader.dataset, among.rank, among.size, key), _Counted(loader.collate_fn)
    twin = copy.copy(loader)
    # Around DataLoader's guard against new attributes: what it computed from the data set is still right.
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
