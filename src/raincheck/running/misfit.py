"""Stock plugins that cannot learn from clips: most were made for classes, and fail somewhere inside."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raincheck.deraining.free_memory import ran_out
from raincheck.errors import ConfigError, one_line

# What code raises when it is given data that it was not written for. Full disks and memories are something else.
UNFIT = (AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@contextmanager
def misfits(plugins: Sequence[Any]) -> Iterator[None]:
    """Says which of Avalanche's own plugins an error came from; errors of others are theirs, and pass unchanged.

    Args:
        plugins: of a run.

    Raises:
        ConfigError: instead of an error that came from within one of Avalanche's plugins, but not from our own code
            that it called: that would be a defect of ours.
    """
    try:
        yield
    except UNFIT as error:
        if ran_out(error):
            raise
        stack = list(traceback.walk_tb(error.__traceback__))
        stock = [plugin for plugin in plugins if type(plugin).__module__.startswith("avalanche.")]
        ours = str(stack[-1][0].f_globals.get("__name__")).startswith("raincheck.")
        for frame, line in [] if ours else reversed(stack):
            plugin = frame.f_locals.get("self")
            if any(plugin is one for one in stock):
                said = ": ".join(filter(None, (type(error).__name__, one_line(error))))
                raise ConfigError(
                    f"the plugin {type(plugin).__name__} of Avalanche cannot learn from clips ({said}, in "
                    f"{Path(frame.f_code.co_filename).name}, line {line}); take another, such as those of "
                    "raincheck.plugins"
                ) from error
        raise
