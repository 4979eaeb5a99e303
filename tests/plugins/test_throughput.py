"""What is counted, and when it is logged."""

import itertools
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from avalanche.training.plugins import ReplayPlugin

from interrupted import learn as resumed
from program import finish
from raincheck.plugins import RainReview, throughput
from raincheck.plugins.throughput import Throughput
from tinytasks import learn, learn_in_avalanche, same


def test_speeds_by_a_clock_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six steps of four clips an experience, and an evaluation of 33 frames, at a second for each look at the clock."""
    seconds = iter(range(10**6))
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: float(next(seconds)))
    logged: list[tuple[int, Mapping[str, float]]] = []
    learned = learn(lambda: [Throughput(lambda numbers, step: logged.append((step, numbers)), every=4)])
    learned.strategy.eval(learned.stream.test_stream)
    speeds = [(step, row["system/steps_per_second"], row["system/clips_per_second"]) for step, row in logged[:-1]]
    assert speeds == [(4, 4, 16), (6, 2, 8), (10, 4, 16), (12, 2, 8), (16, 4, 16), (18, 2, 8)]
    assert logged[-1] == (18, {"system/eval_frames_per_second": 33.0})


def test_reviewed_clips_are_not_new_ones() -> None:
    logged: list[Mapping[str, float]] = []
    plain: list[Mapping[str, float]] = []
    learn(lambda: [RainReview(2**20, batch=2), Counting(logged)])
    learn(lambda: [Counting(plain)])
    assert [row["clips"] for row in logged] == [row["clips"] for row in plain] == [24.0] * 3
    logged.clear()
    learn(lambda: [ReplayPlugin(9), Counting(logged)])
    assert [row["clips"] for row in logged] == [24.0] * 3


class Counting(Throughput):
    """Notes clips, whatever time they took."""

    def __init__(self, rows: list[Mapping[str, float]]) -> None:
        super().__init__(lambda numbers, step: rows.append({"clips": float(self._clips)}))


def test_the_time_before_an_epoch_goes_on_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted in the second experience, learning goes on after an hour."""
    now = itertools.count()
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: float(next(now)))
    logged: list[float] = []

    def watched() -> list[Throughput]:
        return [Throughput(lambda numbers, step: logged.append(numbers.get("system/steps_per_second", 1.0)), every=1)]

    with pytest.raises(SystemError):
        resumed(tmp_path, "after_backward", 9, plugins=watched, epochs=1)
    made = watched()
    now = itertools.count(next(now) + 3600)
    resumed(tmp_path, plugins=lambda: made, epochs=1)
    assert min(logged) == 1


def test_it_changes_nothing_and_runs_in_avalanches_loop() -> None:
    rows: list[int] = []
    watched = learn_in_avalanche(lambda: [Throughput(lambda numbers, step: rows.append(step))])
    assert same(watched.state, learn_in_avalanche().state) and rows == [6, 12, 18]


GROWN = """
import torch
from raincheck.plugins.throughput import peak_memory
peaks = [peak_memory(torch.device("cpu"))]
block = torch.ones(2**27)
peaks.append(peak_memory(torch.device("cpu")))
del block
print(*peaks, peak_memory(torch.device("cpu")))
"""


@pytest.mark.slow
def test_peak_memory_is_the_process_s_own_and_does_not_fall() -> None:
    """Half a GiB more, in a program whose parent has needed more than that."""
    ours = torch.ones(2**28)
    del ours
    done = finish([sys.executable, "-c", GROWN])
    before, grown, after = map(int, done.stdout.split())
    assert grown - before == pytest.approx(2**29, rel=0.05)
    assert after == pytest.approx(grown, rel=0.01)
