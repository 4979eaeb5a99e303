"""Going online never hangs: no key, no network, a server that does not answer or refuses.

What raincheck waits, and W&B beside it, is 10 seconds on a machine of its own. The limit here is for a slow one, and
less than the minute and a half that W&B would wait by itself. Where a server answers, it is given time.
"""

import os
import pty
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from program import PATIENCE, environment, finish
from wandbserver import KEY, black_hole, nobody, serving

LIMIT = 60.0  # seconds
GIVEN_TIME = f"""
from raincheck.tracking import wandb_run
wandb_run.obstacle.__defaults__ = ({PATIENCE},)
wandb_run.START = {PATIENCE}
"""
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


def go_online(folder: Path, address: str, program: str = PROGRAM, **variables: str) -> tuple[float, bool, str]:
    """Begins a run in a process of its own, at a terminal; seconds it took, whether it is offline, standard error."""
    folder.mkdir()
    wanted = environment(WANDB_MODE="online", WANDB_BASE_URL=address, **variables)
    ours, its = pty.openpty()
    try:
        process = finish([sys.executable, "-c", program, folder], env=wanted, stdin=its)
        assert process.returncode == 0, process.stderr
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
def test_what_cannot_go_online_soon_goes_offline_with_one_sentence(tmp_path: Path, name: str) -> None:
    place, variables, reason = CASES[name]
    with place() as found:
        address = found[0] if isinstance(found, tuple) else found
        seconds, offline, error = go_online(tmp_path / "run", address, **variables)
    assert offline and seconds < LIMIT
    assert error.count("\n") == 1 and error.startswith("raincheck: W&B cannot be reached (") and reason in error
    assert error.endswith(f"); logging offline, to be sent later with `wandb sync {tmp_path / 'run' / 'wandb'}`\n")
    [folder] = (tmp_path / "run" / "wandb").glob("offline-run-*")
    assert list(folder.glob("*.wandb"))


def test_a_server_that_answers_gets_what_is_logged(tmp_path: Path) -> None:
    with serving() as (address, server):
        _, offline, error = go_online(tmp_path / "run", address, GIVEN_TIME + PROGRAM, WANDB_API_KEY=KEY)
    assert not offline and error == ""
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


@pytest.mark.slow
def test_a_run_that_goes_on_online_sends_what_the_server_lacks(tmp_path: Path) -> None:
    """Steps 4 and 5 were logged, but not sent before the kill; 5 is repeated."""
    with serving() as (address, server):
        online = environment(WANDB_MODE="online", WANDB_BASE_URL=address, WANDB_API_KEY=KEY)
        program = [sys.executable, "-c", GIVEN_TIME + TRACKED, str(tmp_path)]
        finish([*program, "1,2,3"], env=online).check_returncode()
        assert [row["loss"] for row in server.history] == [0.5, 1.0, 1.5]
        with (tmp_path / "logs" / "metrics.csv").open("a") as file:
            file.write("4,2.0\n5,2.5\n")
        finish([*program, "5,6"], env=online).check_returncode()
    assert [(row["iteration"], row["loss"]) for row in server.history] == [(step, step / 2) for step in range(1, 7)]
    assert [row["_step"] for row in server.history] == list(range(6))
