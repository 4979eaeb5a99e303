"""Several processes of which the first alone speaks."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from raincheck.errors import ConfigError
from raincheck.processes.group import is_first

PATIENCE = 60.0  # seconds that another process leaves to the first to say what was wrong, and to end


@contextmanager
def one_voice() -> Iterator[None]:
    """Lets the first process alone print and say what went wrong.

    Raises:
        SystemExit: in another process, instead of what the first one will have said before it ended.
        ConfigError: where another process has ended without a word, as when it is killed, or its machine fails.
    """
    if is_first():
        with _ends_named():
            yield
        return
    with _ends_named(), Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            yield
        except BaseException:
            # Whatever it is, Ctrl-C and SystemExit included: the first process will have met the same, and Lightning,
            # which ends all when it sees this one end, must leave it the time to say so. Nothing is swallowed.
            if _first_ends():
                sys.exit(2)
            raise


@contextmanager
def _ends_named() -> Iterator[None]:
    """Names what gloo says when another process does not answer any more, and torch of other backends (not tried)."""
    try:
        yield
    except RuntimeError as error:
        if type(error).__module__ != "torch.distributed" and "/gloo/" not in str(error):
            raise
        raise ConfigError(
            "another process of this run has ended or cannot be reached; see what it said last, and give the same "
            "command again to go on"
        ) from error


def _first_ends() -> bool:
    """Waits for the process that started this one to end, as it will if it met the same error; False if it goes on."""
    parent, until = os.getppid(), time.monotonic() + PATIENCE
    try:
        while os.getppid() == parent and time.monotonic() < until:
            time.sleep(0.1)
    except KeyboardInterrupt:  # torchrun ends what is left
        return True
    return os.getppid() != parent
