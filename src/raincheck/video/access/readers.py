"""Random access to the frames of a video file: by decord where it is installed and right, else by PyAV."""

import warnings
from itertools import islice
from pathlib import Path
from typing import Protocol

import av
import torch
from torch import Tensor

from raincheck.errors import InputError, RaincheckWarning
from raincheck.video.access.decord_reader import DecordError, DecordReader, StallError, decord_is_installed
from raincheck.video.reading.container import decoded, opened, to_tensor


class Reader(Protocol):
    """Random access to the frames of a file."""

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1`, uint8 `(t, c, h, w)`."""
        ...


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


class EitherReader:
    """decord for as long as it works, then PyAV; their frames are equal.

    Args:
        decord: the first to be asked.
        pyav: the second.
    """

    def __init__(self, decord: DecordReader, pyav: PyAVReader) -> None:
        self.decord: DecordReader | None = decord
        self.pyav = pyav

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1`, uint8 `(t, c, h, w)`.

        Raises:
            InputError: as `PyAVReader.read`.
        """
        if self.decord is not None:
            try:
                return self.decord.read(start, count)
            except DecordError as error:
                report(self.decord, error)
                self.decord = None
        return self.pyav.read(start, count)


def report(reader: DecordReader, error: DecordError) -> None:
    """Warns of a file on which decord stalled; that it cannot read one at all costs some time and is no news."""
    if isinstance(error, StallError):
        notice = f"decord {error} on {reader.path}; PyAV reads it from here on, more slowly"
        warnings.warn(RaincheckWarning(notice), stacklevel=3)


def open_reader(path: Path, times: list[int | None], key: int) -> Reader:
    """The reader for a file.

    decord counts packets: in an AVI of packed MPEG-4 some hold no frame, and decord's frames are off by some. It gives
    wrong pixels, without saying so, where FFmpeg cannot decode from a key frame, and turns what has a display rotation.
    So it is believed where it counts as PyAV does and shows the same picture after a seek.

    Args:
        path: a video file.
        times: presentation time of every frame, in units of the track's time base.
        key: index of a key frame, the last for the best proof.
    """
    pyav, decord = PyAVReader(path, times), DecordReader(path)
    sought = pyav.after_seek(key, 1)
    if not sought or not decord_is_installed():
        return pyav
    try:
        right = decord.count() == len(times) and torch.equal(decord.read(key, 1)[0], sought[0])
    except DecordError as error:
        report(decord, error)
        right = False
    return EitherReader(decord, pyav) if right else pyav
