"""Random access to the frames of one open video file: by decord, or by PyAV where decord is absent or wrong."""

import weakref
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from raincheck.errors import InputError
from raincheck.video.container import decoded, opened, to_tensor


class Reader(Protocol):
    """Random access to the frames of an open file."""

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1`, uint8 `(t, c, h, w)`."""
        ...


class DecordReader:
    """decord: twice as fast as PyAV at random clips when the file is kept open.

    A reader that is still alive when the interpreter exits crashes it where torch is loaded too ("pure virtual method
    called", exit codes 134 and 139, measured with decord 0.6.0), so it is let go before.

    Raises:
        ImportError: where decord has no wheel.
        RuntimeError: if decord cannot read the file.
    """

    def __init__(self, path: Path) -> None:
        # Lazily: slow to import, and a missing wheel must not matter.
        import decord

        decord.logging.set_level(decord.logging.QUIET)
        # One thread: training has a worker a core already.
        self.video = [decord.VideoReader(str(path), num_threads=1)]
        weakref.finalize(self, self.video.clear)  # at exit, if not before

    def __len__(self) -> int:
        return len(self.video[0])

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1`, uint8 `(t, c, h, w)`."""
        # .asnumpy() leaves alone decord's bridge, which is global to the process.
        pixels: np.ndarray[Any, np.dtype[np.uint8]] = self.video[0].get_batch(range(start, start + count)).asnumpy()
        return rearrange(torch.from_numpy(pixels), "t h w c -> t c h w").contiguous()


class PyAVReader:
    """PyAV: seeks to the key frame before, and decodes from there.

    Args:
        path: a video file.
        times: presentation time of every frame, in units of the track's time base.
    """

    def __init__(self, path: Path, times: list[int | None]) -> None:
        self.path, self.times = path, times

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1`, uint8 `(t, c, h, w)`.

        Raises:
            InputError: if the file has changed since its frames were counted.
        """
        frames = self.after_seek(start, count)
        if len(frames) < count:
            frames = [to_tensor(f) for f in islice(decoded(self.path), start, start + count)]
        if len(frames) < count:
            raise InputError(f"{self.path} has changed while it was read; leave it alone and start again")
        return torch.stack(frames)

    def after_seek(self, start: int, count: int) -> list[Tensor]:
        """The wanted frames, or fewer if seeking did not lead to them.

        It does not where times are missing, or where FFmpeg marks what follows the key frame as corrupt: in 4:4:4 H.264
        of x264 before build 151 it needs a note at the very start of the file to decode the rest.
        """
        wanted = self.times[start : start + count]
        first = wanted[0]
        frames: list[Tensor] = []
        if first is None:
            return frames
        with opened(self.path) as (container, track):
            track.thread_type = "NONE"  # training has a worker a core already
            try:
                container.seek(first, stream=track)
                for frame in container.decode(track):
                    if frame.is_corrupt or len(frames) == count or (frames and frame.pts != wanted[len(frames)]):
                        break
                    if frame.pts == wanted[len(frames)]:
                        frames.append(to_tensor(frame))
            except av.FFmpegError:
                return []  # this file cannot be sought in; decoding from the beginning will tell what is wrong
        return frames


def open_reader(path: Path, times: list[int | None], seekable: bool) -> Reader:
    """The decord reader where it is installed and right, else PyAV's.

    decord counts packets: in an AVI of packed MPEG-4 some hold no frame, and decord's frames are off by some. Where
    FFmpeg cannot decode from a key frame (`seekable` is False), decord gives wrong pixels without saying so.
    """
    try:
        reader = DecordReader(path) if seekable else None
    except (ImportError, OSError, RuntimeError):
        reader = None
    return reader if reader is not None and len(reader) == len(times) else PyAVReader(path, times)
