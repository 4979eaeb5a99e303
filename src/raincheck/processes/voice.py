"""Several processes of which the first alone speaks."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from raincheck.processes.group import is_first

PATIENCE = 60.0  # seconds that another process leaves to the first to say what was wrong, and to end


@contextmanager
def one_voice() -> Iterator[None]:
    """Lets the first process alone print and say what went wrong.

    Raises:
        SystemExit: in another process, instead of what the first one will have said before it ended.
    """
    if is_first():
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            yield
        except BaseException:
            # Whatever it is, Ctrl-C and SystemExit included: the first process will have met the same, and Lightning,
            # which ends all when it sees this one end, must leave it the time to say so. Nothing is swallowed.
            if _first_ends():
                sys.exit(2)
            raise


def _first_ends() -> bool:
    """Waits for the process that started this one to end, as it will if it met the same error; False if it goes on."""
    parent, until = os.getppid(), time.monotonic() + PATIENCE
    try:
        while os.getppid() == parent and time.monotonic() < until:
            time.sleep(0.1)
    except KeyboardInterrupt:  # torchrun ends what is left
        return True
    return os.getppid() != parent
