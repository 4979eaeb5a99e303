"""The command line: one file a command, imported when it is called; what a command needs, it imports when it works."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from importlib import import_module
from io import TextIOWrapper

from raincheck import __version__
from raincheck.commands import COMMANDS
from raincheck.errors import ConfigError, RaincheckError, remedy
from raincheck.processes import follow_starter, one_voice

LEARNING = {"run", "demo", "ablate"}  # may be several processes that are one program


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0 on success, 1 if `data check` finds a fault or a run of a grid has failed, 2 for a mistake of the user's, 130
        after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:  # the process is ours
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what is half-written is removed
        follow_starter()
        if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
            # What its encoding lacks, such as ± in Latin-1 or a file's name that is no UTF-8, is written as on standard
            # error, and is no reason to end.
            sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with one_voice() if {*arguments[:1]} & LEARNING else nullcontext():
            code = dispatch(arguments)
        sys.stdout.flush()  # here, where a closed pipe can still be caught
    except RaincheckError as error:
        print(f"raincheck: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("raincheck: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        drop_output()
        return 0
    except OSError as error:  # names that are too long, folders that may not be entered, a full disk behind our output
        drop_output()
        where = "standard output" if error.filename is None else error.filename
        what = f"{where} cannot be used ({error.strerror}); {remedy(error, 'check its path and the disk')}"
        print(f"raincheck: error: {what}", file=sys.stderr)
        return 2
    return code


def drop_output() -> None:
    """Lets what is left for standard output go nowhere, or Python would complain about it at its end."""
    with suppress(OSError, ValueError):  # under a test, standard output is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def dispatch(arguments: list[str], group: str = "") -> int:
    """Calls the command that the first argument names; returns the exit code.

    Args:
        arguments: of the command line, from the command's name on.
        group: what stands before the name, such as `data `.

    Raises:
        ConfigError: if there is no such command, or as the command does.
    """
    known = {name.removeprefix(group): text for name, text in COMMANDS.items() if is_in(name, group)}
    first = arguments[0] if arguments else "help"
    if first in ("-h", "--help", "help"):
        print(overview(known, f"raincheck {group}".strip()))
    elif first == "--version":
        print(__version__)
    elif first not in known:
        raise ConfigError(f"there is no command {first!r}; choose one of {', '.join(known)}")
    elif any(is_in(name, f"{first} ") for name in COMMANDS):
        return dispatch(arguments[1:], f"{first} ")
    else:
        command = import_module(f"raincheck.cli.{(group + first).replace(' ', '_')}")
        return command.run(arguments[1:]) or 0
    return 0


def is_in(name: str, group: str) -> bool:
    """Whether a command stands in a group, itself and in no group below."""
    return name.startswith(group) and " " not in name.removeprefix(group)


def overview(commands: dict[str, str], program: str) -> str:
    """What `--help` prints about a group of commands."""
    return "\n".join(
        [
            f"raincheck {__version__}: continual learning of video rain removal",
            "",
            f"usage: {program} COMMAND ...   ({program} COMMAND --help explains one)",
            "",
            *(f"  {name:9} {description}" for name, description in commands.items()),
        ]
    )
