"""Training footage is decoded in the process that reads it, once."""

import pickle
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from raincheck.datasets.clip import Held


@dataclass
class Counted:
    """Footage of shades that counts how often it is decoded."""

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


def test_nothing_is_decoded_before_the_first_read_and_everything_once_then() -> None:
    held = Held(Counted())
    assert footage(held).reads == []
    assert held.read(3, 2).flatten(1)[:, 0].tolist() == [3, 4]
    held.read(0, 8)
    assert footage(held).reads == [(0, 8)]


def test_footage_beyond_the_limit_is_decoded_window_by_window() -> None:
    held = Held(Counted(), limit=8 * 4 * 6 * 3 - 1)
    held.read(3, 2), held.read(0, 1)
    assert footage(held).reads == [(3, 2), (0, 1)]


def test_each_worker_decodes_for_itself_and_the_parent_nothing() -> None:
    held = Held(Counted())
    loader: DataLoader[Any] = DataLoader(Readings(held), batch_size=None, num_workers=2, timeout=30)  # type: ignore[arg-type]
    assert [tuple(item) for item in loader] == [(frame, 1) for frame in range(8)]
    assert footage(held).reads == []


def test_another_process_is_not_sent_the_frames() -> None:
    held = Held(Counted())
    held.read(0, 8)
    again = pickle.loads(pickle.dumps(held))
    assert "frames" not in vars(again)
    assert again.name == "counted"
