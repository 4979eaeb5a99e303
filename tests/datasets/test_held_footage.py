"""Training footage is decoded once, for all processes, within one limit."""

import gc
import pickle
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from program import PATIENCE
from raincheck.datasets import held as module
from raincheck.datasets.held import Held, Room
from raincheck.errors import InputError

BYTES = 8 * 3 * 4 * 6


@dataclass
class Counted:
    """Footage of shades that notes what is decoded of it in this process."""

    name: str = "counted"
    size: tuple[int, int] = (4, 6)
    reads: list[tuple[int, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return 8

    def read(self, start: int, count: int) -> Tensor:
        self.reads.append((start, count))
        return torch.arange(start, start + count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, *self.size)


@dataclass
class Readings:
    """Item i: frame i, and how often its process has decoded footage since it began."""

    held: Held

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple[int, int]:
        return int(self.held.read(index, 1)[0, 0, 0, 0]), len(footage(self.held).reads)


def footage(held: Held) -> Any:
    return held.footage


@pytest.mark.parametrize(
    ("together", "reads"), [(1, [(3, 1), (4, 1), (0, 1)]), (4, [(0, 4), (4, 4)]), (5, [(0, 5)]), (32, [(0, 8)])]
)
def test_nothing_is_decoded_before_it_is_read_and_nothing_twice(together: int, reads: list[tuple[int, int]]) -> None:
    held = Held(Counted(), together, Room())
    assert footage(held).reads == []
    assert held.read(3, 2).flatten(1)[:, 0].tolist() == [3, 4]
    assert held.read(0, 1).shape == (1, 3, 4, 6)
    held.read(3, 2)
    assert footage(held).reads == reads
    assert held.read(0, 8).flatten(1)[:, -1].tolist() == list(range(8))


def test_the_limit_is_for_all_footage_together() -> None:
    room = Room(limit=2 * BYTES + 1)
    one, two, three = (Held(Counted(), 4, room) for _ in range(3))
    for held in (one, two, three):
        held.read(3, 2), held.read(3, 2)
    assert footage(one).reads == footage(two).reads == [(0, 4), (4, 4)]
    assert footage(three).reads == [(3, 2), (3, 2)]  # window by window
    assert room.taken == 2 * BYTES
    del one, held
    gc.collect()
    assert room.taken == BYTES
    four = Held(Counted(), 4, room)
    four.read(3, 2)
    assert footage(four).reads == [(0, 4), (4, 4)]


def test_frames_outside_are_refused() -> None:
    with pytest.raises(InputError, match="counted has 8 frames, so frames 7 to 8 cannot be read from it"):
        Held(Counted(), 1, Room()).read(7, 2)


def test_what_one_worker_has_decoded_all_have() -> None:
    held = Held(Counted(), 4, Room())
    loader: DataLoader[Any] = DataLoader(Readings(held), batch_size=None, num_workers=2, timeout=PATIENCE)  # type: ignore[arg-type]
    assert [frame for frame, _ in loader] == list(range(8))
    assert [tuple(item) for item in loader] == [(frame, 0) for frame in range(8)]  # and nothing to decode
    assert held.read(0, 8).flatten(1)[:, 0].tolist() == list(range(8))
    assert footage(held).reads == []


def test_another_process_is_not_sent_the_frames() -> None:
    held = Held(Counted(), 4, Room())
    held.read(0, 8)
    packed = pickle.dumps(held)
    assert len(packed) < BYTES
    assert pickle.loads(packed).read(3, 2).flatten(1)[:, 0].tolist() == [3, 4]


@pytest.mark.slow
@pytest.mark.parametrize(("spare", "decoded"), [(-1, 4), (0, 1)])
def test_spawned_workers_have_their_part_of_the_limit(spare: int, decoded: int) -> None:
    """They share nothing: each of two holds the whole footage, or decodes each of its four frames by itself."""
    held = Held(Counted(), 8, Room(limit=2 * BYTES + spare))
    loader: DataLoader[Any] = DataLoader(
        Readings(held),  # type: ignore[arg-type]
        batch_size=None,
        num_workers=2,
        multiprocessing_context="spawn",
    )
    items = [tuple(item) for item in loader]
    assert [frame for frame, _ in items] == list(range(8)) and items[-1][1] == decoded


def test_footage_that_goes_to_another_process_shares_one_limit_there() -> None:
    room = Room(limit=2 * BYTES - 1)
    one, two = pickle.loads(pickle.dumps([Held(Counted(), 8, room), Held(Counted(), 8, room)]))
    for held in (one, two):
        held.read(0, 1), held.read(1, 1)
    assert footage(one).reads == [(0, 8)] and footage(two).reads == [(0, 1), (1, 1)]


def test_where_memory_is_refused_nothing_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: int) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(module.mmap, "mmap", refuse)
    room = Room()
    assert Held(Counted(), 4, room).read(5, 1)[0, 0, 0, 0] == 5 and room.taken == 0
