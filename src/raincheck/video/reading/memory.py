"""Video that is in memory already, or made frame by frame by someone else's program."""

from collections.abc import Iterable, Iterator, Sized
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from einops import rearrange
from torch import Tensor

from raincheck.errors import InputError
from raincheck.video.stream import FOLDER_RATE, Picture, Stream, timed

Frame = Tensor | npt.NDArray[np.uint8]


def memory_stream(frames: Iterable[Frame], fps: Fraction = FOLDER_RATE) -> tuple[Stream, bool]:
    """A stream of frames in memory at that rate, and whether they are NumPy arrays.

    Raises:
        InputError: if there is no frame, or what is given is no video.
    """
    if not isinstance(frames, Iterable):
        raise InputError(f"a video cannot be {type(frames).__name__}; give a path, an array or frames")
    length = len(frames) if isinstance(frames, Sized) else None
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise InputError("the video has no frames; give at least one")
    high, wide = as_tensor(0, first).shape[1:]
    tensors = (as_tensor(index, frame) for index, frame in enumerate(chain([first], iterator)))
    return Stream(
        path=None,
        size=(high, wide),
        fps=fps,
        length=length,
        names=None,
        source=lambda part, around, _: (Picture(*frame) for frame in part.select(timed(tensors, fps), around)),
        counter=lambda: sum(1 for _ in tensors),
    ), isinstance(first, np.ndarray)


def as_tensor(index: int, frame: Frame) -> Tensor:
    """A copy of a NumPy frame `(h, w, c)` or of a tensor `(c, h, w)` as a tensor `(c, h, w)` on the CPU.

    Programs that make frames use one buffer for all of them, and windows see several at a time.

    Raises:
        InputError: if it is no single RGB frame, or not uint8.
    """
    if not isinstance(frame, Tensor | np.ndarray):
        raise InputError(f"frame {index} is {type(frame).__name__}; give uint8 arrays (h, w, 3) or tensors (3, h, w)")
    colours = 0 if isinstance(frame, Tensor) else 2
    if frame.dtype not in (torch.uint8, np.uint8) or frame.ndim != 3 or frame.shape[colours] != 3 or 0 in frame.shape:
        raise InputError(
            f"frame {index} is {frame.dtype} of shape {tuple(frame.shape)}; give uint8 RGB arrays (h, w, 3) or tensors "
            "(3, h, w)"
        )
    if isinstance(frame, Tensor):
        return frame.to("cpu", copy=True)
    return torch.from_numpy(np.array(rearrange(frame, "h w c -> c h w"), order="C"))


def handed_out(pictures: Iterable[Picture], arrays: bool) -> Iterator[Any]:
    """Frames that callers may draw on, as NumPy arrays `(h, w, c)` or as tensors `(c, h, w)`.

    OpenCV wants them contiguous, and torch refuses tensors made in inference mode.
    """
    frames = (picture.pixels for picture in pictures)
    if arrays:
        return (rearrange(frame, "c h w -> h w c").contiguous().numpy() for frame in frames)
    return (frame.clone(memory_format=torch.contiguous_format) for frame in frames)
