"""Several pieces of work at once, each with its share of torch's threads, whose results come in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(work: Callable[[Item], Result], items: Iterable[Item], at_once: int) -> Generator[Result, None, None]:
    """As `map(work, items)`, with up to `at_once` items in work.

    Threads that share one computation wait for each other at the end of each of its many steps, and all of them for the
    one whose core FFmpeg has just taken. Threads with a computation each do not.

    Args:
        work: computes a result, by torch on the CPU if it is to pay.
        items: what from; taken in the caller's thread. What they raise comes after the results of those before.
        at_once: 1 computes in the caller's thread too, and takes no item before it is needed.
    """
    if at_once == 1:
        yield from map(work, items)
        return
    threads, waiting = torch.get_num_threads(), deque[Future[Result]]()
    share, left = partial(torch.set_num_threads, max(1, threads // at_once)), iter(items)
    with ThreadPoolExecutor(at_once, thread_name_prefix="derain", initializer=share) as workers:
        try:
            while True:
                try:
                    item = next(left)
                except StopIteration:
                    break
                except Exception:
                    yield from _results(waiting)
                    raise
                waiting.append(workers.submit(work, item))
                if len(waiting) == at_once:
                    yield waiting.popleft().result()
            yield from _results(waiting)
        finally:
            for future in waiting:
                future.cancel()
            torch.set_num_threads(threads)  # of the threads that torch meets later


def _results(waiting: deque[Future[Result]]) -> Generator[Result, None, None]:
    while waiting:
        yield waiting.popleft().result()
