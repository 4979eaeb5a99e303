"""Real processes, really killed: the sweep itself, and a node of a Ray cluster."""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from killing import GATE, threads
from program import PATIENCE, RAINCHECK, alive, environment, until
from raincheck.sweeping import launchers
from raincheck.sweeping.sweep import sweep
from sweepfiles import InProcess, sweep_file

TESTS = Path(__file__).parents[1]
RATES = [0.001, 0.02]

pytestmark = pytest.mark.slow


def start(file: Path, out: Path, gate: Path, *options: str, **variables: str) -> subprocess.Popen[bytes]:
    """The program as a user starts it."""
    words = [*RAINCHECK, "sweep", str(file), "--out", str(out), "--trust", *options]
    return subprocess.Popen(words, env=environment(**{GATE: str(gate)}, **variables))


def waiting(gate: Path) -> list[int]:
    """The processes that have come to the gate."""
    return [int(path.stem) for path in gate.glob("*.waiting")]


def found(out: Path) -> dict[str, Any]:
    """All that a sweep and its runs found, without the seconds."""
    sweep = json.loads((out / "sweep.json").read_text())
    runs = {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/report.json")}
    for content in (*sweep["trials"], *runs.values()):
        for passing in ("seconds", "train_seconds", "date"):
            content.pop(passing, None)
    return {"sweep": sweep, "runs": runs, "best": (out / "best.yaml").read_text()}


def learned(gate: Path) -> Counter[str]:
    """How often each experience of each run was begun and ended."""
    return Counter((gate / "learned").read_text().splitlines())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path, dict[str, Any]]]:
    """A sweep file, a closed gate, and what the sweep comes to in one process that nobody kills."""
    gate = tmp_path / "gate"
    gate.mkdir()
    monkeypatch.setenv(GATE, str(gate))
    parameters = {"optimizer.init_args.lr": {"values": RATES}}
    file = sweep_file(tmp_path, [{"class_path": "killing.Gate"}], method="grid", parameters=parameters)
    monkeypatch.setitem(launchers.LAUNCHERS, "local", InProcess().launched)
    with threads(1):
        sweep(file, tmp_path / "whole", trust=True)
    for path in gate.iterdir():
        path.unlink()
    (gate / "closed").touch()
    yield file, gate, found(tmp_path / "whole")


def once(begun_again: int) -> Counter[str]:
    """Every experience of every run, ended once; `begun_again` runs had begun their second one twice."""
    lines = Counter(f"{what} {rate} {task}" for what in ("begins", "ends") for rate in RATES for task in range(3))
    return lines + Counter(f"begins {rate} 1" for rate in RATES[:begun_again])


def test_a_sweep_that_is_killed_takes_its_run_with_it_and_goes_on(
    place: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    file, gate, expected = place
    out = tmp_path / "out"
    process = start(file, out, gate)
    until(lambda: waiting(gate), "the first run at the gate")
    [child] = waiting(gate)
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not alive(child), "the end of the run of the killed sweep")
    assert json.loads((out / "sweep.json").read_text())["trials"][0]["state"] == "running"
    (gate / "closed").unlink()
    assert start(file, out, gate).wait(PATIENCE) == 0
    assert found(out) == expected
    assert learned(gate) == once(begun_again=1)


def test_a_node_of_a_ray_cluster_is_killed_and_its_trial_goes_on_elsewhere(
    place: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    from ray.cluster_utils import Cluster

    file, gate, expected = place
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(RAY_USAGE_STATS_ENABLED="0").items():
            patch.setenv(name, value)
        small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
        cluster = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
        try:
            lost = cluster.add_node(**small)
            process = start(file, out, gate, "--launcher", "ray", RAY_ADDRESS=cluster.address)
            until(lambda: len(waiting(gate)) == 2 or process.poll() is not None, "a run on each node")
            both = waiting(gate)
            assert len(both) == 2
            cluster.remove_node(lost, allow_graceful=False)
            until(lambda: sum(map(alive, both)) == 1, "the end of the run on the lost node")
            (gate / "closed").unlink()
            assert process.wait(PATIENCE) == 0
        finally:
            cluster.shutdown()
    assert found(out) == expected
    again = learned(gate) - once(begun_again=0)
    assert list(again) in (["begins 0.001 1"], ["begins 0.02 1"])  # the one that was on the lost node
    assert learned(gate) == once(begun_again=0) + again and sum(again.values()) == 1
