"""Going online never hangs: no key, no network, a server that does not answer or refuses."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from wandbserver import KEY, black_hole, nobody, serving

PROGRAM = """
import sys, time
from pathlib import Path
from raincheck.tracking.wandb_run import begin
began = time.perf_counter()
run = begin(Path(sys.argv[1]), {"method": "m", "seed": 0})
print(time.perf_counter() - began, run.offline)
run.log({"loss": 1.5})
run.finish()
"""


def go_online(folder: Path, address: str, **environment: str) -> tuple[float, bool, str]:
    """Begins a run in a process of its own, at a terminal; seconds it took, whether it is offline, standard error."""
    folder.mkdir()
    wanted = {"WANDB_MODE": "online", "WANDB_BASE_URL": address, **environment}
    ours, its = pty.openpty()
    try:
        process = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(folder)],
            env={**os.environ, **wanted},
            stdin=its,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    finally:
        os.close(ours)
        os.close(its)
    seconds, offline = process.stdout.split()
    return float(seconds), offline == "True", process.stderr


CASES: dict[str, tuple[Callable[[], AbstractContextManager[Any]], dict[str, str], str]] = {
    "a black hole": (black_hole, {"WANDB_API_KEY": KEY}, "no answer within 5 seconds"),
    "no key": (black_hole, {}, "no API key; get one with `wandb login`"),
    "nobody": (nobody, {"WANDB_API_KEY": KEY}, ""),
    "no such host": (lambda: nullcontext("http://no-such-host.invalid"), {"WANDB_API_KEY": KEY}, ""),
    "refused": (lambda: serving(401), {"WANDB_API_KEY": KEY}, "401"),
    "a bad key": (black_hole, {"WANDB_API_KEY": "short"}, "40+ characters"),
    "no answer to the second question": (lambda: serving(mute=True), {"WANDB_API_KEY": KEY}, ""),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if i else ()) for i, name in enumerate(CASES)]
)
def test_what_cannot_go_online_goes_offline_in_ten_seconds_with_one_sentence(tmp_path: Path, name: str) -> None:
    place, environment, reason = CASES[name]
    with place() as found:
        address = found[0] if isinstance(found, tuple) else found
        seconds, offline, error = go_online(tmp_path / "run", address, **environment)
    assert offline and seconds <= 10
    assert error.count("\n") == 1 and error.startswith("raincheck: W&B cannot be reached (") and reason in error
    assert error.endswith(f"); logging offline, to be sent later with `wandb sync {tmp_path / 'run' / 'wandb'}`\n")
    [folder] = (tmp_path / "run" / "wandb").glob("offline-run-*")
    assert list(folder.glob("*.wandb"))


def test_a_server_that_answers_gets_what_is_logged(tmp_path: Path) -> None:
    with serving() as (address, server):
        seconds, offline, error = go_online(tmp_path / "run", address, WANDB_API_KEY=KEY)
    assert not offline and seconds <= 10 and error == ""
    assert [row["loss"] for row in server.history] == [1.5]


TRACKED = """
import sys
from pathlib import Path
from raincheck.tracking.weights_and_biases import WandbTracker
tracker = WandbTracker(Path(sys.argv[1]), {"method": "m", "seed": 0})
for step in map(int, sys.argv[2].split(",")):
    tracker.log_metrics({"loss": step / 2}, step)
tracker.close(False)
"""


def test_a_run_that_goes_on_online_sends_what_the_server_lacks(tmp_path: Path) -> None:
    """Steps 4 and 5 were logged, but not sent before the kill; 5 is repeated."""
    with serving() as (address, server):
        online = {"WANDB_MODE": "online", "WANDB_BASE_URL": address, "WANDB_API_KEY": KEY}
        program = [sys.executable, "-c", TRACKED, str(tmp_path)]
        subprocess.run([*program, "1,2,3"], env={**os.environ, **online}, check=True, timeout=120)
        assert [row["loss"] for row in server.history] == [0.5, 1.0, 1.5]
        with (tmp_path / "logs" / "metrics.csv").open("a") as file:
            file.write("4,2.0\n5,2.5\n")
        subprocess.run([*program, "5,6"], env={**os.environ, **online}, check=True, timeout=120)
    assert [(row["iteration"], row["loss"]) for row in server.history] == [(step, step / 2) for step in range(1, 7)]
    assert [row["_step"] for row in server.history] == list(range(6))
