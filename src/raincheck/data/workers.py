"""Processes that share work: they end with the one that started them, whatever ends that."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import parent_process
from threading import Thread
from typing import ParamSpec, TypeVar

import torch

from raincheck.errors import OutputError
from raincheck.processes.shielded import Pool

P = ParamSpec("P")
Result = TypeVar("Result")


class Here(Executor):
    """Works at once, in this process."""

    def submit(self, function: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs) -> Future[Result]:
        """Calls the function, whose error is raised here."""
        future: Future[Result] = Future()
        future.set_result(function(*args, **kwargs))
        return future


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
    pool = Pool(count, begin)
    try:
        yield pool
    except BrokenProcessPool:
        raise OutputError(f"a process that {doing} was killed, maybe for want of memory; {instead}") from None
    finally:
        pool.shutdown(cancel_futures=True)
