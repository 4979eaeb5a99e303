"""Libraries that talk to their own users, kept from talking to ours."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sober() -> Iterator[None]:
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
