"""Work done ahead of its use, in a thread: FFmpeg and torch release Python's lock while they compute."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

DEPTH = 3  # items that are ready at most: enough to even out stages, and few enough for large frames


class End:
    """Comes after the last item."""


END = End()


def ahead(items: Iterable[Item], depth: int = DEPTH) -> Generator[Item, None, None]:
    """Yields what `items` yields, in its order, computed by a thread that is up to `depth` items ahead.

    Nothing is computed before the first item is asked for. What `items` raises comes after the items before it. When
    the generator ends or is closed, `items` is closed, and the thread has ended.
    """
    iterator = iter(items)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as worker:
        waiting = deque(worker.submit(next, iterator, END) for _ in range(depth))
        try:
            while not isinstance(item := waiting.popleft().result(), End):
                waiting.append(worker.submit(next, iterator, END))
                yield item
        finally:
            for future in waiting:
                future.cancel()
            if isinstance(iterator, Generator):
                worker.submit(iterator.close).result()
