"""The processes that prepare a run's clips."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

import raincheck.running.workers as room
from raincheck.datasets.rendering.kept import keep
from raincheck.processes import Group, machine


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    monkeypatch.setattr(machine, "cores", lambda: 8)


def count(workers: int | None = None, device: str = "cuda", **trainer: Any) -> int:
    config: Any = SimpleNamespace(workers=workers, trainer=trainer)
    with room.workers(config, torch.device(device)) as number:
        return number


def test_as_many_as_were_asked_for() -> None:
    assert (count(3), count(0)) == (3, 0)


def test_processes_on_other_machines_take_no_cores_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "joined", lambda: Group(0, 4, None))
    assert (count(), count(num_nodes=2)) == (1, 3)


def test_a_grid_s_process_keeps_its_clips_on_few_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)
    keep(1000)
    try:
        assert count(device="cpu") == 0
    finally:
        keep(0)
    assert count(device="cpu") == 1
