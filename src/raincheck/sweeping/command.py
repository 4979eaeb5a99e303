"""From the command of a sweep file and what was chosen to the arguments of `raincheck run`."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

from raincheck.commands import Parser, add_run_options
from raincheck.config import dump, parse
from raincheck.errors import ConfigError
from raincheck.running.identity import identity
from raincheck.sweeping.definition import Sweep
from raincheck.sweeping.space import Point, arguments

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
MACRO = re.compile(r"\$\{(.*)\}")


@dataclass(frozen=True)
class RunCommand:
    """A `raincheck run` that a command comes to.

    Attributes:
        arguments: of its configuration; without `--out`, which is not W&B's agent's but ours here.
        environment: variables that the command sets by `env NAME=VALUE`.
        trust: whether it says `--trust`, which is no part of the configuration.
    """

    arguments: tuple[str, ...]
    environment: dict[str, str]
    trust: bool

    @property
    def line(self) -> tuple[str, ...]:
        """What follows `raincheck run`, but for `--out`."""
        return (*self.arguments, *(["--trust"] if self.trust else []))

    def config(self, trust: bool) -> Namespace:
        """The resolved configuration.

        Args:
            trust: whether classes of any package are allowed, if the command says so too, and variables.

        Raises:
            ConfigError: if something in it is wrong, or the command gives itself a trust that it was not given.
        """
        # A variable such as PYTHONPATH decides which code a run is.
        if (said := [*self.environment, *(["--trust"] if self.trust else [])]) and not trust:
            raise ConfigError(
                f"the command says {', '.join(said)}; say --trust to raincheck sweep too if you know what it does"
            )
        return parse(self.arguments, self.trust)


def trial_command(sweep: Sweep, point: Point, number: int, out: Path) -> RunCommand:
    """The `raincheck run` of a trial.

    Args:
        sweep: the sweep file's content.
        point: what was proposed for the trial.
        number: of the trial.
        out: folder of the sweep.

    Raises:
        ConfigError: if the sweep's command comes to no `raincheck run`.
    """
    chosen = arguments(sweep.parameters, point)
    return run_command(words(sweep.command, sweep.program, chosen, arguments_file(out, number)))


def arguments_file(out: Path, number: int) -> Path:
    """What `${args_json_file}` stands for in the command of a trial."""
    return out / f"arguments-{number}.json"


def run_id(config: Namespace) -> str:
    """What names the run of a resolved configuration: a hash of it."""
    return identity(yaml.safe_load(dump(config)))


def words(command: Sequence[str], program: str, chosen: dict[str, Any], json_file: Path) -> list[str]:
    """The command line that W&B's agent would start.

    Args:
        command: with macros.
        program: what `${program}` stands for.
        chosen: parameters, nested as W&B nests them.
        json_file: what `${args_json_file}` stands for; written if the command has it.

    Raises:
        ConfigError: for a macro that W&B does not have.
    """
    macros: dict[str, list[str]] = create_sweep_command_args({"args": {k: {"value": v} for k, v in chosen.items()}})
    del macros["args_dict"]  # no list of words
    macros |= {"env": ["/usr/bin/env"], "interpreter": ["python"], "program": [program]}
    line: list[str] = []
    for word in create_sweep_command(list(command)):
        macro = MACRO.fullmatch(word)
        if word == "${args_json_file}":
            json_file.write_text(json.dumps(chosen), encoding="utf-8")
            line.append(str(json_file))
        elif macro and macro[1] not in macros:
            raise ConfigError(f"there is no macro {word}; choose one of {', '.join(macros)}, args_json_file")
        else:
            line += macros[macro[1]] if macro else [word]
    return line


def run_command(line: Sequence[str]) -> RunCommand:
    """Finds `raincheck run` in a command line: after `env`, assignments and Python, if they are there.

    Raises:
        ConfigError: if the line is another program's, whose runs would be none of ours.
    """
    rest, environment = list(line), {}
    if rest and Path(rest[0]).name == "env":
        rest = rest[1:]
        while rest and ASSIGNMENT.fullmatch(rest[0]):
            name, _, value = rest.pop(0).partition("=")
            environment[name] = value
    if rest and re.fullmatch(r"python[\d.]*", Path(rest[0]).name):
        rest = rest[2:] if rest[1:2] == ["-m"] else rest[1:]
    ours = rest[1:2] == ["run"] and Path(rest[0]).name == "raincheck"
    if not ours:
        raise ConfigError(
            f"the command comes to {' '.join(line)!r}; here it must be [${{env}}, raincheck, run, ..., ${{args}}], "
            "and other programs need W&B's own agent"
        )
    parser = Parser("run", add_help=False)
    add_run_options(parser)
    options, arguments = parser.parse_known_args(rest[2:])
    if options.until is not None:
        raise ConfigError("the command says --until, which is for early_terminate to say here; leave it out")
    return RunCommand(tuple(arguments), environment, options.trust)
