"""Programs that tests start: in which environment, how long they may take, and what is left of them."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
RAINCHECK = (sys.executable, "-m", "watched")  # `raincheck`, which hears Ctrl-C and says where it hangs
PATIENCE = 900.0  # seconds; only what hangs comes to it, also on a machine many times slower than usual


def environment(**more: str) -> dict[str, str]:
    """This process's own, in which Python finds this raincheck and the modules of tests, and torch one thread."""
    inherited = filter(None, [os.environ.get("PYTHONPATH")])
    paths = os.pathsep.join([str(TESTS.parent / "src"), str(TESTS), *inherited])
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **more}


def finish(words: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, whatever its exit code; what it said goes into the failure if it hangs."""
    given = {"env": environment(), "capture_output": True, "text": True, "timeout": PATIENCE, "check": False}
    try:
        return subprocess.run(list(map(str, words)), **{**given, **options})
    except subprocess.TimeoutExpired as error:
        said = [os.fsdecode(part) for part in (error.stdout, error.stderr) if part]
        pytest.fail("\n".join([str(error), *said]), pytrace=False)


def until(true: Callable[[], Any], what: str) -> None:
    """Waits for something."""
    last = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < last, f"waited in vain for {what}"
        time.sleep(0.02)


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and for which nobody has waited does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes_of(out: Path) -> list[int]:
    """The processes whose command line names a folder."""
    lines = {path: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()}
    return [int(path.parent.name) for path, line in lines.items() if os.fsencode(f"{out}\0") in line + b"\0"]


def held(lock: Path) -> bool:
    """Whether a process has a file's lock."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def group_lives(group: int) -> bool:
    """Whether any process of a group runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def importing(parent: int) -> bool:
    """Whether a process that another has started is amid its imports."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    mapped = [b"numpy" in Path(f"/proc/{child}/maps").read_bytes() for child in children if alive(int(child))]
    return any(mapped)
