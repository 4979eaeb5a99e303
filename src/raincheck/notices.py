"""What users see on standard error: our own notices, and none of the advice that libraries give to their users."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from raincheck.errors import RaincheckWarning


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keeps libraries' advice, which is not for our users, off their terminals."""
    os.environ.setdefault("WANDB_SILENT", "true")
    lightning = logging.getLogger("lightning.pytorch")
    level = lightning.level
    lightning.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        # Out of our control: Avalanche and Lightning use what newer Pythons and torches deprecate.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", message="Avalanche is transitioning")
        # Expected: our scores and logs take the place of Avalanche's evaluator.
        warnings.filterwarnings("ignore", message="No loggers specified")
        warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
        try:
            yield
        finally:
            lightning.setLevel(level)


@contextmanager
def notices() -> Iterator[None]:
    """Shows our warnings as one line on standard error, without the line of code that Python adds.

    Each is said once: a video that is read three times is as damaged as before.
    """
    said: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", RaincheckWarning)
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, RaincheckWarning):
                usual(message, category, *where, **more)
            elif str(message) not in said:
                said.add(str(message))
                print(f"raincheck: notice: {message}", file=sys.stderr)

        warnings.showwarning = show
        yield
