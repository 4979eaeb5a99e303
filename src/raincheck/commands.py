"""Commands of the command line in groups: found by name, explained by --help, mistaken in one sentence."""

import argparse
from collections.abc import Callable
from typing import NoReturn

from raincheck import __version__
from raincheck.errors import ConfigError

Command = Callable[[list[str]], int | None]  # returns the exit code, None for 0
Commands = dict[str, tuple[str, Command]]
COMMANDS: Commands = {}
DATA: Commands = {}  # of `raincheck data`


class Parser(argparse.ArgumentParser):
    """An argparse parser whose complaints are errors like all others: one sentence, no usage block."""

    def __init__(self, name: str, description: str, **kwargs: bool) -> None:
        super().__init__(prog=f"raincheck {name}", description=description, allow_abbrev=False, **kwargs)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Raises what argparse would print."""
        raise ConfigError(f"{message}; see {self.prog} --help")


def command(description: str, group: Commands = COMMANDS) -> Callable[[Command], Command]:
    """Adds a function to a group of commands under its own name."""

    def add(function: Command) -> Command:
        group[function.__name__] = (description, function)
        return function

    return add


def overview(commands: Commands, program: str) -> str:
    """What `--help` prints about a group of commands."""
    lines = [f"  {name:9} {description}" for name, (description, _) in commands.items()]
    return "\n".join(
        [
            f"raincheck {__version__}: continual learning of video rain removal",
            "",
            f"usage: {program} COMMAND ...   ({program} COMMAND --help explains one)",
            "",
            *lines,
        ]
    )


def dispatch(arguments: list[str], commands: Commands, program: str) -> int:
    """Calls the command that the first argument names; returns the exit code.

    Raises:
        ConfigError: if there is no such command.
    """
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview(commands, program))
    elif arguments[0] == "--version":
        print(__version__)
    elif arguments[0] in commands:
        return commands[arguments[0]][1](arguments[1:]) or 0
    else:
        raise ConfigError(f"there is no command {arguments[0]!r}; choose one of {', '.join(commands)}")
    return 0


def add_network_options(parser: Parser) -> None:
    """Adds --weights, --trust, --device and --precision."""
    parser.add_argument(
        "--weights",
        default="rrgnet",
        metavar="W",
        help="rrgnet (default), identity, a weights file, a run's folder, or an exported .onnx or .pt2 file",
    )
    parser.add_argument("--trust", action="store_true", help="open .pt2 files, whose content can run code")
    parser.add_argument("--device", default="auto", metavar="D", help="auto (default), cpu, cuda, cuda:1, mps")
    parser.add_argument(
        "--precision",
        default="fp32",
        metavar="P",
        help="fp32 (default); bf16, faster on CPUs with AMX and on GPUs, some hundredths of a grey level off; or auto",
    )
