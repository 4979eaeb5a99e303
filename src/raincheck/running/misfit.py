"""Stock plugins that cannot learn from clips: most were made for classes, and fail somewhere inside."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raincheck.errors import ConfigError, RaincheckError, one_line


@contextmanager
def misfits(plugins: Sequence[Any]) -> Iterator[None]:
    """Says which of Avalanche's own plugins an error came from; errors of others are theirs, and pass unchanged.

    Args:
        plugins: of a run.

    Raises:
        ConfigError: instead of an error that came from within one of Avalanche's plugins.
    """
    try:
        yield
    except RaincheckError:
        raise
    except Exception as error:
        stock = [plugin for plugin in plugins if type(plugin).__module__.startswith("avalanche.")]
        for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
            plugin = frame.f_locals.get("self")
            if any(plugin is one for one in stock):
                said = ": ".join(filter(None, (type(error).__name__, one_line(error))))
                raise ConfigError(
                    f"the plugin {type(plugin).__name__} of Avalanche cannot learn from clips ({said}, in "
                    f"{Path(frame.f_code.co_filename).name}, line {line}); take another, such as those of "
                    "raincheck.plugins"
                ) from error
        raise
