"""The weights that every task ended with."""

from pathlib import Path
from runpy import run_path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from test_best import learn

from raincheck.plugins import TaskWeights
from tinytasks import learn_in_avalanche, same

AVERAGE = Path(__file__).parents[2] / "experiments" / "weights_average.py"


def test_every_task_leaves_its_weights(tmp_path: Path) -> None:
    end = learn(TaskWeights(), tmp_path)
    kept = [load_file(tmp_path / f"after-{task}.safetensors") for task in (1, 2, 3)]
    assert same(kept[2], end)
    assert not same(kept[0], kept[1]) and not same(kept[1], kept[2])
    steps = []
    for task in (1, 2, 3):
        with safe_open(tmp_path / f"after-{task}.safetensors", "pt") as file:
            steps.append(int(file.metadata()["step"]))
    assert steps[1] == 2 * steps[0] and steps[2] == 3 * steps[0]


def test_it_changes_nothing_and_runs_in_avalanches_loop(tmp_path: Path) -> None:
    assert same(learn(TaskWeights(), tmp_path / "a"), learn(None, tmp_path / "b"))
    assert same(learn_in_avalanche(lambda: [TaskWeights()]).state, learn_in_avalanche().state)


def test_their_mean(tmp_path: Path) -> None:
    """A file that is named twice counts twice."""
    learn(TaskWeights(), tmp_path)
    files = [tmp_path / f"after-{task}.safetensors" for task in (1, 3, 3)]
    states = [load_file(file) for file in files]
    got = run_path(str(AVERAGE))["average"]([str(file) for file in files]).state_dict()
    for name, value in got.items():
        torch.testing.assert_close(value, sum(state[name] for state in states) / 3, rtol=0, atol=1e-6)
