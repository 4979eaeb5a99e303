"""A leg of a trial: `raincheck run` in a process of its own, up to the next border or the end.

Imports little, so that a worker of a cluster that only starts such processes is there at once.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raincheck.files import is_free
from raincheck.processes import STARTER

PATIENCE = 60.0  # seconds that the process of a lost machine or a killed sweep may take to end
WORDS = "raincheck: error: "


@dataclass(frozen=True)
class Leg:
    """What to run, and where.

    Attributes:
        number: of the trial.
        arguments: of `raincheck run`, without `--out` and `--until`.
        environment: variables to set.
        until: how many tasks are to be learned at its end; None is all.
        folder: of the run; what it prints goes to a file beside it that ends in .log.
        directory: where relative paths begin.
    """

    number: int
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    until: int | None
    folder: Path
    directory: Path

    @property
    def log(self) -> Path:
        """What the run printed."""
        return self.folder.with_name(f"{self.folder.name}.log")


def run_leg(leg: Leg) -> str | None:
    """Runs a leg; what it found is in its folder.

    The process ends with this one, whatever happens to that, and waits for one that is left over from before. So no run
    is ever learned by two.

    Returns:
        What went wrong, or None.
    """
    if not is_free(leg.folder, PATIENCE):
        return f"another process is running in {leg.folder}; wait for it"
    # By `-m` alone Python would look for modules in the directory first, where this process may not look for them.
    safe = [] if str(leg.directory) in sys.path else ["-P"]
    command = [sys.executable, *safe, "-m", "raincheck", "run", *leg.arguments, "--out", str(leg.folder)]
    command += ["--until", str(leg.until)] if leg.until is not None else []
    environment = {**os.environ, **leg.environment, STARTER: str(os.getpid())}
    with leg.log.open("ab") as log:
        begin = log.tell()
        process = subprocess.Popen(
            command, cwd=leg.directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            code = process.wait()
        finally:
            _end(process)
    return _reason(leg.log, begin, code) if code else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that is still there, because its sweep was interrupted."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _reason(log: Path, begin: int, code: int) -> str:
    """The last line of what a failed run printed: a sentence, or the end of a traceback."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    with log.open("rb") as file:
        file.seek(begin)
        lines = file.read().decode("utf-8", errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return said[-1].removeprefix(WORDS)[:400] if said else f"exit code {code}"
