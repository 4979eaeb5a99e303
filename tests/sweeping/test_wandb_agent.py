"""The same file with `wandb sweep` and `wandb agent`, whose server is a stand-in."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from killing import threads
from program import environment, finish
from raincheck.sweeping import launchers
from raincheck.sweeping.sweep import sweep
from sweepfiles import BASE, METRIC, InProcess, sweep_file
from wandbfile import history
from wandbserver import KEY, serving

TESTS = Path(__file__).parents[1]
RATE = {"distribution": "log_uniform_values", "min": 0.001, "max": 0.01}


def wandb(folder: Path, address: str, *words: str) -> subprocess.CompletedProcess[str]:
    """W&B's own program, as a user starts it in the environment in which raincheck is installed."""
    mine = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        **{name: str(folder / name.lower()) for name in ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "NETRC")},
        **{"WANDB_MODE": "online", "WANDB_BASE_URL": address, "WANDB_API_KEY": KEY, "WANDB_ERROR_REPORTING": "false"},
        **{"WANDB_ENTITY": "me", "WANDB_PROJECT": "raincheck", "WANDB_SILENT": "false"},
    }
    return finish([sys.executable, "-m", "wandb", *words], cwd=folder, env=environment(**mine))


@pytest.mark.slow
def test_an_agents_run_is_the_trial_of_raincheck_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content: dict[str, Any] = {"method": "random", "run_cap": 1, "parameters": {"optimizer.init_args.lr": RATE}}
    file = sweep_file(tmp_path, **content)
    said = yaml.safe_load(file.read_text())
    said["command"].append("--tracking=wandb")
    file.write_text(yaml.safe_dump(said))
    monkeypatch.setitem(launchers.LAUNCHERS, "local", InProcess().launched)
    with threads(1):  # as the agent has
        best = sweep(file, tmp_path / "here", trust=True)
    with serving() as (address, server):
        sent = wandb(tmp_path, address, "sweep", str(file))
        assert "wandb agent me/raincheck/sweep1" in sent.stderr + sent.stdout
        assert yaml.safe_load(server.sweep) == {**said, "parameters": {"optimizer.init_args.lr": RATE}}
        arguments = {name: {"value": value} for name, value in best.values.items()}
        server.commands = [{"type": "run", "run_id": "r1", "program": said["program"], "args": arguments}]
        done = wandb(tmp_path, address, "agent", "--count", "1", "me/raincheck/sweep1")
    assert server.commands == [], done.stderr
    [folder] = (tmp_path / "runs").iterdir()
    assert folder.name == best.id, done.stderr
    assert (folder / "wandb" / "id.txt").read_text() == "r1"
    assert BASE["stream"]["steps"] == 2
    # On a machine with much else to do the server does not answer in time, and the run goes on offline.
    rows = server.history or history(next((folder / "wandb").glob("offline-run-*")))
    logged = [row[METRIC["name"]] for row in rows if METRIC["name"] in row]
    assert len(logged) == 3 and logged[-1] == best.value, done.stderr
    report = json.loads((folder / "report.json").read_text())
    mine = json.loads((tmp_path / "here" / best.id / "report.json").read_text())
    assert {**report, "train_seconds": 0, "date": ""} == {**mine, "train_seconds": 0, "date": ""}
