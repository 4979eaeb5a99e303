"""How many processes prepare clips where nobody says."""

import pytest

from raincheck.processes import helpers, machine


@pytest.mark.parametrize(
    ("device", "cores", "learning", "expected"),
    [
        ("cpu", 1, 1, 0),
        ("cpu", 2, 1, 1),
        ("cpu", 3, 1, 1),
        ("cpu", 2, 2, 0),
        ("cpu", 4, 1, 1),
        ("cpu", 16, 1, 4),
        ("cpu", 64, 1, 8),
        ("cpu", 16, 2, 2),
        ("cuda", 2, 1, 1),
        ("cuda", 1, 1, 1),
        ("cuda", 6, 1, 5),
        ("cuda", 64, 1, 8),
        ("cuda", 32, 4, 7),
        ("mps", 8, 1, 7),
    ],
)
def test_cores_are_shared_out(
    monkeypatch: pytest.MonkeyPatch, device: str, cores: int, learning: int, expected: int
) -> None:
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    monkeypatch.setattr(machine, "cores", lambda: cores)
    assert helpers(device, learning) == expected


def test_a_task_of_slurms_has_its_cores_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "6")
    assert helpers("cuda", 4) == 5


@pytest.mark.parametrize(("device", "cores", "expected"), [("cpu", 2, 0), ("cpu", 8, 2), ("cuda", 2, 1)])
def test_a_process_that_keeps_its_clips_prepares_them_itself_where_cores_are_few(
    monkeypatch: pytest.MonkeyPatch, device: str, cores: int, expected: int
) -> None:
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    monkeypatch.setattr(machine, "cores", lambda: cores)
    assert helpers(device, keeping=True) == expected
