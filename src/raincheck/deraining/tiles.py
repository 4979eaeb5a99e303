"""Cutting frames into tiles that overlap by the network's reach, so that their cores are those of the whole frame."""

from itertools import product
from typing import Literal, NamedTuple, overload

from raincheck.errors import ConfigError
from raincheck.networks.base import ClipNetwork

Box = tuple[slice, slice]  # rows and columns


class Span(NamedTuple):
    """A tile along one axis; plain numbers, because slices are no keys before Python 3.12.

    Attributes:
        begin: the first pixel that is computed.
        end: the one after the last.
        core_begin: the first pixel that is kept.
        core_end: the one after the last.
    """

    begin: int
    end: int
    core_begin: int
    core_end: int


class Tile(NamedTuple):
    """A rectangle of a frame.

    Attributes:
        rows: of the frame.
        columns: of the frame.
    """

    rows: Span
    columns: Span

    @property
    def outer(self) -> Box:
        """What is computed, in the frame."""
        return slice(self.rows.begin, self.rows.end), slice(self.columns.begin, self.columns.end)

    @property
    def core(self) -> Box:
        """What is kept of it, in the frame."""
        return slice(self.rows.core_begin, self.rows.core_end), slice(self.columns.core_begin, self.columns.core_end)

    @property
    def inner(self) -> Box:
        """What is kept of it, in the tile."""
        high, wide = ((s.core_begin - s.begin, s.core_end - s.begin) for s in self)
        return slice(*high), slice(*wide)


@overload
def narrower(network: ClipNetwork, side: int) -> int: ...


@overload
def narrower(network: ClipNetwork, side: int, strict: Literal[False]) -> int | None: ...


def narrower(network: ClipNetwork, side: int, strict: bool = True) -> int | None:
    """The largest side up to `side` that suits the network: a multiple of its own, with a core between two overlaps.

    Raises:
        ConfigError: if there is none, unless `strict` is False, which gives None.
    """
    multiple, reach = network.multiple, network.reach
    fitting = side - side % multiple
    if reach is not None and fitting >= 2 * up(reach, multiple) + multiple:
        return fitting
    if not strict:
        return None
    if reach is None:
        raise ConfigError(f"{type(network).__name__} looks at whole frames and cannot work in tiles; use --tile none")
    least = 2 * up(reach, multiple) + multiple
    raise ConfigError(f"tiles of {side} are too small for {type(network).__name__}; use --tile {least} or more")


def up(number: int, multiple: int) -> int:
    """The next multiple."""
    return -(-number // multiple) * multiple


def cut_tiles(size: tuple[int, int], side: int | None, network: ClipNetwork) -> list[Tile]:
    """Tiles whose cores cover a frame of that height and width once; None is one tile.

    A tile ends where the frame ends, or at a multiple of the network's, so that padding is where it is in the frame.
    """
    if side is None:
        return [Tile(*(Span(0, length, 0, length) for length in size))]
    overlap = up(network.reach or 0, network.multiple)
    return [Tile(*axes) for axes in product(*(spans(length, side, overlap) for length in size))]


def spans(length: int, side: int, overlap: int) -> list[Span]:
    """Tiles along one axis."""
    found: list[Span] = []
    begin = done = 0
    while done < length:
        end = begin + side
        if end >= length:
            found.append(Span(begin, length, done, length))
            break
        found.append(Span(begin, end, done, end - overlap))
        done = end - overlap
        begin = done - overlap
    return found
