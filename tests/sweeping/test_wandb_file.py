"""What a sweep file may say, and what is said about one that is wrong."""

import math
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

from raincheck.errors import ConfigError
from raincheck.sweeping.definition import Metric, Stopping, Sweep
from raincheck.sweeping.wandb_file import read_sweep

GOOD: dict[str, Any] = {
    "program": "raincheck",
    "method": "random",
    "name": "a sweep",
    "project": "rain",
    "run_cap": 5,
    "metric": {"name": "forgetting/psnr_y", "goal": "minimize", "target": 0.1},
    "parameters": {"batch": {"values": [2, 4]}},
    "command": ["${env}", "${program}", "run", "${args}"],
}


def read(folder: Path, **changes: Any) -> Sweep:
    content = {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump(content))
    return read_sweep(path)


def test_everything_is_read(tmp_path: Path) -> None:
    sweep = read(tmp_path)
    assert (sweep.method, sweep.trials, sweep.program, sweep.stopping) == ("random", 5, "raincheck", None)
    assert sweep.metric == Metric("forgetting/psnr_y", maximize=False, target=0.1)
    assert sweep.command == ("${env}", "${program}", "run", "${args}")
    assert set(sweep.decisive) == {"program", "method", "metric", "parameters", "command"}


@pytest.mark.parametrize("said", ["parameters: &a {x: {parameters: *a}}", "parameters: {x: {value: &a [*a]}}"])
def test_a_file_that_contains_itself_is_refused(tmp_path: Path, said: str) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(f"method: grid\ncommand: [raincheck]\n{said}\n")
    with pytest.raises(ConfigError, match=r"^cannot read the configuration .*: Circular reference detected; give a "):
        read_sweep(path)


def test_a_parameter_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    seed = "  seed: {values: [0, 1]}\n"
    path.write_text(f"method: grid\nparameters:\n{seed}  batch: {{values: [2]}}\n{seed}command: [run]\n")
    with pytest.raises(ConfigError) as error:
        read_sweep(path)
    assert str(error.value) == f"{path}: the key seed is there twice, in lines 3 and 5; leave one out"


def test_wandbs_defaults(tmp_path: Path) -> None:
    assert not read(tmp_path, metric={"name": "temporal_y/thin"}).metric.maximize  # W&B's goal is to minimize
    assert read(tmp_path, metric=...).metric == Metric("average/psnr_y", maximize=True)
    assert read(tmp_path, method="grid", run_cap=...).trials == 2
    assert read(tmp_path, method="grid", run_cap=1).trials == 1
    assert read(tmp_path, method="grid", run_cap=9).trials == 2


# W&B's bands: after min_iter * eta ** k values, or max_iter / eta ** k for k up to s, from one value up.
@pytest.mark.parametrize(
    ("said", "stopping"),
    [
        ({"min_iter": 2}, Stopping(2, 3)),
        ({"min_iter": 1, "eta": 2, "strict": True}, Stopping(1, 2)),
        ({"max_iter": 27, "s": 2}, Stopping(3, 3, 9)),
        ({"min_iter": 2, "strict": False}, Stopping(2, 3, None, strict=False)),
        ({"max_iter": 27, "s": 2, "strict": False}, Stopping(3, 3, 9, strict=False)),
        ({"max_iter": 8, "s": 9, "eta": 2}, Stopping(1, 2, 4)),
        ({"max_iter": 8, "s": 2}, Stopping(2, 3, 2)),
    ],
)
def test_hyperband(tmp_path: Path, said: dict[str, Any], stopping: Stopping) -> None:
    assert read(tmp_path, early_terminate={"type": "hyperband", **said}).stopping == stopping


def test_borders() -> None:
    stopping = Stopping(2, 3)
    assert [stopping.next(learned) for learned in range(8)] == [2, 2, 6, 6, 6, 6, 18, 18]
    assert [Stopping(2, 3, 7).next(learned) for learned in range(8)] == [2, 2, 6, 6, 6, 6, None, None]


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("average/psnr_y", True),
        ("psnr_y/thin", True),
        ("bwt/temporal_y", True),
        ("forgetting/psnr_y", False),
        ("average/temporal_y", False),
    ],
)
def test_wandbs_goal_is_said_where_it_is_odd(tmp_path: Path, name: str, warned: bool) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert not read(tmp_path, metric={"name": name}).metric.maximize
        assert not read(tmp_path, metric={"name": name, "goal": "minimize"}).metric.maximize
    sentence = (
        f"more of {name} is better, but the metric has no goal and W&B's is to minimize then; "
        "write goal: maximize if you mean it"
    )
    assert [str(warning.message) for warning in caught] == [sentence] * warned


def test_targets() -> None:
    up, down, none = Metric("x", True, 3.0), Metric("x", False, 3.0), Metric("x", True)
    assert [up.reached(value) for value in (2.9, 3.0, 3.1)] == [False, True, True]
    assert [down.reached(value) for value in (2.9, 3.0, 3.1)] == [True, True, False]
    assert not none.reached(1e9)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"method": "custom"}, " is not a W&B sweep: its method must be grid, random, bayes, not custom"),
        ({"scheduler": {"engine": "ax"}}, ": scheduler is unknown or needs W&B's server; leave it out"),
        ({"run_cap": ...}, ": a sweep by random does not end by itself; add run_cap, the number of trials"),
        ({"run_cap": 0}, ": run_cap must be a whole number from 1 up, not 0"),
        ({"method": "bayes", "metric": ...}, ": method bayes needs a metric to learn from; add one"),
        ({"metric": {"goal": "maximize"}}, ": metric must have a name, a goal and at most a target, not {'goal': "),
        ({"metric": {"name": "psnr_y/a", "goal": "max"}}, ": the metric's goal must be minimize or maximize, not max"),
        ({"metric": {"name": "psnr_y/a", "target": "9"}}, ": the metric's target must be a number, not '9'"),
        ({"metric": {"name": "psnr_y/a", "target": math.nan}}, ": the metric's target must be a number, not nan"),
        ({"metric": {"name": "psnr_y/a", "impute": "best"}}, ": the metric can be imputed as worst only, "),
        ({"metric": {"name": "val_loss"}}, ": runs report no 'val_loss'; choose average, bwt, forgetting, fwt or a "),
        ({"parameters": ...}, ": parameters must be a mapping of names to what they may be, not None"),
        ({"command": "raincheck run"}, ": command must be a list of words such as [${env}, raincheck, run, ..., "),
        ({"command": ...}, ": command must be a list of words such as [${env}, raincheck, run, ..., ${args}]"),
        ({"early_terminate": {"type": "median"}}, ": early_terminate must be of the type hyperband, and strict true "),
        (
            {"early_terminate": {"type": "hyperband", "min_iter": 1, "strict": 1}},
            ": early_terminate must be of the type ",
        ),
        ({"early_terminate": {"type": "hyperband"}}, ": early_terminate needs min_iter, or max_iter and s, and eta "),
        (
            {"early_terminate": {"type": "hyperband", "max_iter": 2, "s": 1}},
            ": early_terminate compares after 2 / 3 tasks, which is none",
        ),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, **changes)
    assert str(error.value).startswith(f"{tmp_path / 'sweep.yaml'}{sentence}")


def test_a_file_that_is_missing_or_something_else(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^cannot read the configuration .*sweep\.yaml: "):
        read_sweep(tmp_path / "sweep.yaml")
    (tmp_path / "list.yaml").write_text("[1, 2]")
    with pytest.raises(ConfigError, match=r"list\.yaml is not a W&B sweep: its method must be grid, .*, not \[1, 2\]"):
        read_sweep(tmp_path / "list.yaml")
