"""Processes that are started anew, and leave Ctrl-C to the one that started them."""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")


class Shielded(SpawnProcess):
    """A process that leaves Ctrl-C to the main process from its birth on: it takes seconds to import what it needs."""

    def start(self) -> None:
        """Starts it with SIGINT blocked, which it inherits; one that comes meanwhile reaches this process later."""
        resource_tracker.ensure_running()  # which would lift the block
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Afresh(SpawnContext):
    """Starts processes anew: one that is forked beside the progress bar's thread may hang."""

    Process = Shielded


class Pool(ProcessPoolExecutor):
    """Shielded processes; Ctrl-C finds each that has started known to it, so that its end waits for theirs.

    Args:
        count: how many.
        begin: what each of them calls first.
        *given: for `begin`.
    """

    def __init__(self, count: int, begin: Callable[..., None], *given: Any) -> None:
        super().__init__(count, Afresh(), begin, given)

    def submit(self, function: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs) -> Future[Result]:
        """Hands over work, and starts a process where one is wanted: by halves, it would be waited for in vain."""
        with put_off():
            return super().submit(function, *args, **kwargs)


@contextmanager
def put_off() -> Iterator[None]:
    """Puts off Ctrl-C, and SIGTERM where it means the same, to the block's end.

    Blocking the signals would not do: another thread of the process would take them, and this one be interrupted.
    """
    handlers = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)}
    told = {which: handler for which, handler in handlers.items() if callable(handler)}
    if threading.current_thread() is not threading.main_thread():
        told = {}
    came: list[Any] = []
    for which in told:
        signal.signal(which, lambda *what: came.append(what))
    try:
        yield
    finally:
        for which, handler in told.items():
            signal.signal(which, handler)
        if came:
            told[came[0][0]](*came[0])
