"""Windows of frames with reflected ends, over clips of known length and over streams."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

Frame = TypeVar("Frame")


def reflect(index: int, length: int) -> int:
    """Maps an index outside `[0, length)` back by reflection without repeating the end (`-1 -> 1`), as numpy does."""
    if length == 1:
        return 0
    period = 2 * (length - 1)
    index = abs(index) % period
    return min(index, period - index)


def windows(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    """Yields, for every frame of a stream, the window of `size` frames around it.

    Holds at most `size` frames, whatever the stream's length. Frames before the start and after the end are
    reflected, so that there are as many windows as frames and each has its frame in the middle.

    Args:
        frames: the stream.
        size: frames of a window, odd.
    """
    radius = size // 2
    held: deque[Frame] = deque(maxlen=size)
    read = done = 0  # frames taken from the stream, windows yielded

    def around(centre: int) -> list[Frame]:
        return [held[reflect(i, read) - (read - len(held))] for i in range(centre - radius, centre + radius + 1)]

    for frame in frames:
        held.append(frame)
        read += 1
        # Only reflection at the start may happen here: the window must not reach past what has been read.
        while done + radius < read:
            yield around(done)
            done += 1
    while done < read:
        yield around(done)
        done += 1
