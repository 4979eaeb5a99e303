"""Stock plugins and callbacks that fail somewhere inside: made for classes, or for a Trainer that is used otherwise."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.exceptions import MisconfigurationException

from raincheck.deraining.free_memory import ran_out
from raincheck.errors import ConfigError, one_line

# What code raises when it is given data that it was not written for. Full disks and memories are something else.
UNFIT = (AssertionError, AttributeError, LookupError, MisconfigurationException, RuntimeError, TypeError, ValueError)


@contextmanager
def misfits(plugins: Sequence[Any]) -> Iterator[None]:
    """Says which of Avalanche's own plugins or Lightning's own callbacks an error came from; others pass unchanged.

    Args:
        plugins: of a run.

    Raises:
        ConfigError: instead of an error that came from within one of these, but not from our own code that it called:
            that would be a defect of ours.
    """
    try:
        yield
    except UNFIT as error:
        if ran_out(error):
            raise
        stack = list(traceback.walk_tb(error.__traceback__))
        ours = str(stack[-1][0].f_globals.get("__name__")).startswith("raincheck.")
        for frame, line in [] if ours else reversed(stack):
            owner = frame.f_locals.get("self")
            what, remedy = _stock(owner, plugins)
            if what:
                said = ": ".join(filter(None, (type(error).__name__, one_line(error))))
                raise ConfigError(
                    f"{what} ({said}, in {Path(frame.f_code.co_filename).name}, line {line}); {remedy}"
                ) from error
        raise


def _stock(owner: Any, plugins: Sequence[Any]) -> tuple[str, str]:
    """What a stock plugin or callback cannot do, and what to do instead; nothing of anything else."""
    kind = type(owner)
    if kind.__module__.startswith("lightning.pytorch.callbacks."):
        return (
            f"the callback {kind.__name__} of Lightning cannot be used like this",
            "correct its arguments, or leave it out",
        )
    if kind.__module__.startswith("avalanche.") and any(owner is one for one in plugins):
        what = f"the plugin {kind.__name__} of Avalanche cannot learn from clips"
        return what, "take another, such as those of raincheck.plugins"
    return "", ""
