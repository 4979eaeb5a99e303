"""Working ahead in a thread changes nothing but when things happen."""

import threading
import time
from collections.abc import Iterator

import pytest

from program import PATIENCE
from raincheck.video.ahead import DEPTH, ahead


def test_order_is_kept_and_each_item_comes_once() -> None:
    assert list(ahead(range(1000))) == list(range(1000))
    assert list(ahead([])) == []


def test_an_error_comes_after_the_items_before_it() -> None:
    def source() -> Iterator[int]:
        yield from range(5)
        raise ValueError("broken")

    got: list[int] = []
    with pytest.raises(ValueError, match="broken"):
        for item in ahead(source()):
            got.append(item)
    assert got == [0, 1, 2, 3, 4]


def test_it_is_only_so_far_ahead_and_does_not_begin_unasked() -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    items = ahead(source())
    time.sleep(0.05)
    assert taken == []
    next(items)
    time.sleep(0.2)
    assert len(taken) <= 1 + DEPTH + 1  # used, ready, and in the hand of the thread
    items.close()


def test_closing_ends_the_thread_and_closes_the_source() -> None:
    closed: list[str] = []

    def source() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    before = threading.active_count()
    items = ahead(source())
    next(items)
    items.close()
    assert threading.active_count() == before
    assert len(closed) == 1 and closed != [threading.current_thread().name]


def test_stages_overlap() -> None:
    both = threading.Barrier(2)

    def met(items: Iterator[int] | range) -> Iterator[int]:
        for item in items:
            # The second stage has the item before this one; if the stages took turns, each would wait in vain.
            if 0 < item < 19:
                both.wait(timeout=PATIENCE)
            yield item

    def later(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            if item < 18:
                both.wait(timeout=PATIENCE)
            yield item

    assert list(ahead(later(ahead(met(range(20)))))) == list(range(20))
