"""Processes that share work: they end with the one that started them, whatever ends that."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import parent_process, resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Thread
from typing import ParamSpec, TypeVar

import torch

from raincheck.errors import OutputError

P = ParamSpec("P")
Result = TypeVar("Result")


class Here(Executor):
    """Works at once, in this process."""

    def submit(self, function: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs) -> Future[Result]:
        """Calls the function, whose error is raised here."""
        future: Future[Result] = Future()
        future.set_result(function(*args, **kwargs))
        return future


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


def begin() -> None:
    """Makes a process a worker: one thread, no life after the main process's."""
    torch.set_num_threads(1)
    # A pool's processes wait for ever for a main process that was killed.
    Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Waits for the main process's end, and ends this one."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def workers(count: int, doing: str, instead: str) -> Iterator[Executor]:
    """An executor of `count` processes; of none for 1.

    Args:
        count: how many.
        doing: what a process did, for the error: it "rendered", say.
        instead: what the user can do about it.

    Raises:
        OutputError: if a process was killed.
    """
    if count < 2:
        yield Here()
        return
    pool = ProcessPoolExecutor(count, Afresh(), begin)
    try:
        yield pool
    except BrokenProcessPool:
        raise OutputError(f"a process that {doing} was killed, maybe for want of memory; {instead}") from None
    finally:
        pool.shutdown(cancel_futures=True)
