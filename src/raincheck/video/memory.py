"""Video that is in memory already, or made frame by frame by someone else's program."""

from collections.abc import Iterable, Sized
from fractions import Fraction
from itertools import chain

import numpy as np
import numpy.typing as npt
import torch
from einops import rearrange
from torch import Tensor

from raincheck.errors import InputError
from raincheck.video.stream import FOLDER_RATE, Stream, at_rate

Frame = Tensor | npt.NDArray[np.uint8]


def memory_stream(frames: Iterable[Frame], fps: Fraction = FOLDER_RATE) -> tuple[Stream, bool]:
    """A stream of frames in memory at that rate, and whether they are NumPy arrays.

    Raises:
        InputError: if there is no frame.
    """
    length = len(frames) if isinstance(frames, Sized) else None
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise InputError("the video has no frames; give at least one")
    tensors = map(as_tensor, chain([first], iterator))
    high, wide = as_tensor(first).shape[1:]
    return Stream(
        path=None,
        size=(high, wide),
        fps=fps,
        length=length,
        names=None,
        rotation=0,
        source=lambda: at_rate(tensors, fps),
        counter=lambda: sum(1 for _ in tensors),
    ), isinstance(first, np.ndarray)


def as_tensor(frame: Frame) -> Tensor:
    """A NumPy frame `(h, w, c)` as a tensor `(c, h, w)`; tensors pass through.

    Raises:
        InputError: if it is no single frame.
    """
    if frame.ndim != 3:
        raise InputError(f"a frame has shape {tuple(frame.shape)}; give arrays (h, w, c) or tensors (c, h, w)")
    if isinstance(frame, Tensor):
        return frame.cpu()
    return rearrange(torch.from_numpy(np.ascontiguousarray(frame)), "h w c -> c h w").contiguous()
