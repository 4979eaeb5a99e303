"""Decoded frames that stay in memory: one memory for a process and the workers that it forks, and one limit for all."""

import math
import mmap
import weakref
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from raincheck.datasets.base import Wrapped
from raincheck.video.access.footage import check_inside

LIMIT = 2**32  # bytes, where nobody says otherwise


@dataclass(eq=False)
class Room:
    """How much memory decoded frames may take. Sent to another process, it has the same limit and nothing taken.

    Attributes:
        limit: bytes that all footage together may take.
        taken: bytes that it takes.
    """

    limit: int = LIMIT
    taken: int = 0

    def take(self, size: int) -> bool:
        """Takes `size` bytes if so many are free, and says whether they were.

        A worker gets here only where workers are spawned, and share no memory: it may take its share of the limit.
        """
        worker = get_worker_info()
        fits = self.taken + size <= self.limit // (worker.num_workers if worker else 1)
        self.taken += size * fits
        return fits

    def give_back(self, size: int) -> None:
        """Says that so many bytes are free again."""
        self.taken -= size

    def __getstate__(self) -> dict[str, Any]:
        """What another process gets."""
        return {"limit": self.limit, "taken": 0}


ROOM = Room()


@dataclass(eq=False)
class Held(Wrapped):
    """Footage whose frames are decoded once, and kept as uint8 while there is room.

    What one worker has decoded, all have that were forked after this was made; where workers are spawned, each keeps
    its own. Nothing is decoded before it is read. Which footage finds room, and who decodes, changes no pixel.

    Attributes:
        footage: the whole.
        together: frames that are decoded at once: seeking in compressed video costs as much as decoding many.
        room: the memory that it takes its part of.
    """

    together: int = 1
    room: Room = field(default_factory=lambda: ROOM)

    def __post_init__(self) -> None:
        """Takes the name of the footage, and room, before workers are forked."""
        super().__post_init__()
        self._memory: tuple[Tensor | None, Tensor] | None = self._claim()

    def _claim(self) -> tuple[Tensor | None, Tensor]:
        """Memory for the frames, None if there is no room, and for what is known of each part: 1 if it is there."""
        shape = (len(self), 3, *self.size)
        frames, parts = math.prod(shape), -(-len(self) // self.together)
        if not self.room.take(frames):
            return None, torch.zeros(0, dtype=torch.uint8)
        try:
            # Anonymous and shared: a fork sees what others write, and pages that nobody has written take no memory.
            memory = torch.frombuffer(mmap.mmap(-1, frames + parts), dtype=torch.uint8)
        except OSError:
            self.room.give_back(frames)
            return None, torch.zeros(0, dtype=torch.uint8)
        weakref.finalize(self, self.room.give_back, frames)
        return memory[:frames].view(shape), memory[frames:]

    def __getstate__(self) -> dict[str, Any]:
        """What another process gets: the footage, without the frames. It takes room when it first reads.

        Before that it does not know that it is a worker, which may only take its part.
        """
        return {**vars(self), "_memory": None}

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1` as uint8 `(t, c, h, w)`; not to be written to.

        Raises:
            InputError: if they reach outside the footage, or as the footage does.
        """
        check_inside(self.name, len(self), start, count)
        frames, there = self._memory = self._memory or self._claim()
        if frames is None:
            return self.footage.read(start, count)
        for part in range(start // self.together, -(-(start + count) // self.together)):
            if not there[part]:
                first = part * self.together
                stop = min(first + self.together, len(self))
                frames[first:stop] = self.footage.read(first, stop - first)
                there[part] = 1  # last, so that another process never sees half a part
        return frames[start : start + count]
