"""From a sweep file's command to `raincheck run`, word for word as W&B's agent does it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from wandb.wandb_agent import Agent

from raincheck.errors import ConfigError
from raincheck.sweeping.command import run_command, words
from sweepfiles import sweep_file

CHOSEN: dict[str, Any] = {
    "batch": 4,
    "optimizer": {"init_args": {"lr": 1e-05}},
    "stream.learn": "in_turn",
    "augment": True,
    "quiet": False,
}
COMMANDS = [
    ["${env}", "${interpreter}", "${program}", "${args}"],
    ["${env}", "A=1", "raincheck", "run", "--config", "a b.yaml", "${args_no_hyphens}"],
    ["${program}", "run", "${args_no_boolean_flags}", 3],
    ["${program}", "run", "--config", "${args_json}"],
    ["${program}", "run", "${args_no_equals}", "--x=${envvar:RAINCHECK_TEST_X}"],
]


def agents_words(command: list[Any], program: str, chosen: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line that wandb's own agent starts when its server says so."""
    started: list[list[str]] = []
    monkeypatch.setattr(
        "wandb.wandb_agent.AgentProcess", lambda command, **_: started.append(command) or SimpleNamespace()
    )
    agent = Agent.__new__(Agent)
    agent._sweep_command, agent._function, agent._run_processes = list(command), None, {}
    agent._in_jupyter, agent._forward_signals = False, False
    args = {name: {"value": value} for name, value in chosen.items()}
    agent._command_run({"run_id": "r", "program": program, "args": args})
    return started[0]


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
def test_the_words_are_those_of_wandbs_agent(
    command: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"WANDB_SWEEP_ID": "s", "WANDB_RUN_ID": "", "WANDB_SWEEP_PARAM_PATH": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RAINCHECK_TEST_X", "from outside")
    ours = words([str(word) for word in command], "raincheck", CHOSEN, tmp_path / "no.json")
    assert ours == agents_words(command, "raincheck", CHOSEN, monkeypatch)
    assert not (tmp_path / "no.json").exists()


def test_the_parameters_as_a_file(tmp_path: Path) -> None:
    line = words(["raincheck", "run", "--config", "${args_json_file}"], "", CHOSEN, tmp_path / "a.json")
    assert line == ["raincheck", "run", "--config", str(tmp_path / "a.json")]
    assert json.loads((tmp_path / "a.json").read_text()) == CHOSEN


@pytest.mark.parametrize(
    "before",
    [
        ["raincheck"],
        [".venv/bin/raincheck"],
        ["/usr/bin/env", "raincheck"],
        ["/usr/bin/env", "python", "-m", "raincheck"],
        ["python3.12", "/somewhere/raincheck"],
    ],
    ids=" ".join,
)
def test_a_run_is_found(before: list[str]) -> None:
    found = run_command([*before, "run", "--out", "runs/{id}", "--seed=3", "--trust", "--batch", "2"])
    assert (found.arguments, found.environment, found.trust) == (("--seed=3", "--batch", "2"), {}, True)
    assert found.line == ("--seed=3", "--batch", "2", "--trust")


def test_variables_are_found() -> None:
    found = run_command(["/usr/bin/env", "OMP_NUM_THREADS=1", "A=b=c", "raincheck", "run"])
    assert found.environment == {"OMP_NUM_THREADS": "1", "A": "b=c"}


@pytest.mark.parametrize(
    ("line", "said"),
    [(["raincheck", "run", "--trust"], "--trust"), (["env", "PYTHONPATH=.", "raincheck", "run"], "PYTHONPATH")],
)
def test_a_command_gives_itself_no_trust(line: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        run_command(line).config(trust=False)
    assert str(error.value) == (f"the command says {said}; say --trust to raincheck sweep too if you know what it does")


@pytest.mark.parametrize("macro", ["${args}", "${args_no_equals}", "${args_no_boolean_flags}"])
def test_what_is_chosen_is_what_the_run_reads(tmp_path: Path, macro: str) -> None:
    """Null, true and nested parameters, as the words of W&B's agent say them."""
    chosen = {
        "weights": None,
        "stream": {"order": None},
        "plugins": {"RainReview": {"batch": 3, "seed": None}},
        "plugins.Distillation.from_start": True,
    }
    line = words(
        ["raincheck", "run", f"--config={sweep_file(tmp_path).with_name('base.yaml')}", macro], "", chosen, tmp_path
    )
    command = run_command([*line, "--plugins+=Distillation", "--trust"])
    config = command.config(trust=True)
    assert (config.weights, config.stream.order) == (None, None)
    review, distillation = (plugin.init_args for plugin in config.plugins)
    assert (review.batch, review.seed, distillation.from_start) == (3, None, True)


@pytest.mark.parametrize(
    "line", [[], ["rm", "-rf", "x"], ["raincheck", "demo"], ["python", "train.py", "run"], ["sh", "raincheck", "run"]]
)
def test_other_programs_are_refused(line: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        run_command(line)
    assert str(error.value) == (
        f"the command comes to {' '.join(line)!r}; here it must be [${{env}}, raincheck, run, ..., ${{args}}], "
        "and other programs need W&B's own agent"
    )


def test_unknown_macros_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^there is no macro \$\{arguments\}; choose one of args, args_no_equals, "):
        words(["raincheck", "run", "${arguments}"], "", CHOSEN, tmp_path / "a.json")


def test_until_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^the command says --until, which is for early_terminate to say here; "):
        run_command(["raincheck", "run", "--until", "2"])
