"""How a batch is divided, in one process; tests/test_several_processes.py does it in two."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from raincheck.errors import ConfigError
from raincheck.processes import Group, division, first_does
from raincheck.processes.gathering import gather, share
from raincheck.processes.loading import _share_of, whole_batches


@given(rows=st.integers(0, 50), size=st.integers(1, 9))
def test_shares_are_disjoint_even_and_cover(rows: int, size: int) -> None:
    parts = [list(range(rows))[share(rows, rank, size)] for rank in range(size)]
    assert [row for part in parts for row in part] == list(range(rows))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert sorted(map(len, parts), reverse=True) == list(map(len, parts))  # `gather` pads to the first


def loader(rows: int, batch: int, **kwargs: Any) -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.arange(rows)), batch_size=batch, **kwargs)


@pytest.mark.parametrize("workers", [0, 1])
def test_every_process_draws_the_same_order_and_loads_its_share(workers: int) -> None:
    loaded = []
    for rank in range(3):
        torch.manual_seed(0)
        twin = _share_of(loader(11, 4, shuffle=True, num_workers=workers), Group(rank, 3, None), 0)
        loaded.append([(rows, batch[0].tolist()) for rows, batch in twin])
    torch.manual_seed(0)
    whole = [batch[0].tolist() for batch in loader(11, 4, shuffle=True)]
    for position, batch in enumerate(whole):
        assert all(part[position][0] == len(batch) for part in loaded)
        assert [row for part in loaded for row in part[position][1]] == batch
    assert len(whole[-1]) == 3


def test_a_batch_with_fewer_rows_than_processes_is_everyones() -> None:
    for rank in range(3):
        twin = _share_of(loader(2, 4), Group(rank, 3, None), 0)
        assert [(rows, batch[0].tolist()) for rows, batch in twin] == [(2, [0, 1])]


def test_alone_nothing_is_divided() -> None:
    batches = loader(5, 2)
    with division.together(1):
        assert division.group(8) is None
        assert [batch[0].tolist() for batch in whole_batches(batches, 0)] == [[0, 1], [2, 3], [4]]
        assert division.divided(lambda rows: rows + 1, torch.zeros(3)).tolist() == [1, 1, 1]
    assert first_does(lambda: 7) == 7


def test_what_has_not_a_row_each_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"^several processes cannot divide a batch that comes with a tensor of shape"
    ):
        gather(torch.zeros(()), 4, Group(0, 2, None))
