"""What Lightning would swallow, or replace by something else, and how it reaches who called the strategy."""

import signal
from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any


class EndedError(Exception):
    """Carries a StopIteration, at which Lightning's loops would end without a word."""


def carrying(hook: Callable[..., Any]) -> Callable[..., Any]:
    """A hook of which a StopIteration, as of a plugin's own exhausted iterator, comes as `EndedError`."""

    @wraps(hook)
    def carry(*args: Any, **kwargs: Any) -> Any:
        try:
            return hook(*args, **kwargs)
        except StopIteration as error:
            raise EndedError(error) from error

    return carry


def carry_all(loop: type) -> None:
    """Does so with all methods that a class has of its own."""
    for name, method in list(vars(loop).items()):
        if isinstance(method, FunctionType) and not name.startswith("__"):
            setattr(loop, name, carrying(method))


def let_through(run: Callable[[], Any]) -> None:
    """Calls a Trainer's `fit` or `validate`.

    Raises:
        StopIteration: that came as `EndedError`.
        KeyboardInterrupt: for which Lightning exits, and ignores the signal from then on.
    """
    handler = signal.getsignal(signal.SIGINT)
    error: BaseException
    try:
        run()
        return
    except EndedError as ended:
        error = ended.args[0]
    except SystemExit as end:
        if not isinstance(end.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        error = end.__context__
    raise error
