"""Rendered clips that are kept, so that several runs on the same clips in one process render them once.

A training clip is a function of its footage, its rain and the state of a random generator, and a test frame of its
footage, its rain and its number. So what was rendered for one run is, bit for bit, what another run with the same seed
and order of tasks needs; between the cells of a grid only the method differs. Rendering took half of a run's time.
"""

from collections.abc import Callable, Hashable

import numpy as np
from torch import Tensor

Pair = tuple[Tensor, Tensor]

_kept: dict[Hashable, tuple[Pair, dict[str, object] | None]] = {}
_room = 0  # bytes that are still free
_of: Hashable = None  # whose clips they are


def keep(room: int, of: Hashable = None) -> None:
    """Keeps what is rendered in this process from now on, and forgets what was kept before, unless of the same.

    Args:
        room: bytes to fill, and what is rendered after that is not kept; 0 keeps nothing.
        of: what all clips from now on have in common; None is never the same.
    """
    global _room, _of
    if of is None or of != _of:
        _room, _of = room, of
        _kept.clear()


def keeping() -> bool:
    """Whether what is rendered in this process is kept; what its workers render is not."""
    return bool(_room or _kept)


def kept(
    source: Hashable | None, about: Hashable, render: Callable[[], Pair], rng: np.random.Generator | None = None
) -> Pair:
    """What `render` returns, from memory if it was rendered before; it must not be changed in place.

    Args:
        source: the footage; None keeps nothing.
        about: all else that decides the clip, besides the generator.
        render: is called if the clip is not there.
        rng: which `render` draws from; it is left as `render` would leave it.
    """
    global _room
    if source is None or not keeping():
        return render()
    key = (source, about, None if rng is None else repr(rng.bit_generator.state))
    if key in _kept:
        pair, after = _kept[key]
        if rng is not None and after is not None:
            rng.bit_generator.state = after
        return pair
    pair = render()
    if (size := _bytes(pair)) <= _room:
        pair = pair[0].clone(), pair[1].clone()  # not views, which would keep whole videos
        _kept[key] = pair, None if rng is None else dict(rng.bit_generator.state)
        _room -= size
    return pair


def _bytes(pair: Pair) -> int:
    return sum(tensor.nbytes for tensor in pair)
