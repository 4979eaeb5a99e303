"""decord, asked from a distance: it decodes in a process of its own, which can be killed.

It is twice as fast as PyAV at random clips of a file that stays open. But its batches hang for ever on some files, a
reader that a process inherits deadlocks it, and one that is open at exit crashes the interpreter where torch is loaded
too ("pure virtual method called"; all seen with decord 0.6.0). None of that leaves a process that holds nothing else.
"""

import io
import json
import mmap
import os
import subprocess
import sys
import threading
import time
import weakref
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import IO, cast

import torch
from einops import rearrange
from torch import Tensor

from raincheck.video.access import decord_process

PATIENCE = 30.0  # seconds for which decord may work on `TOGETHER` frames
TOGETHER = 8  # frames that are asked for at once: few enough for large ones


class DecordError(Exception):
    """decord cannot read a file; the text says why."""


class StallError(DecordError):
    """decord gave no answer, or its process broke down."""


class DecordReader:
    """Random access by decord.

    Args:
        path: a video file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def count(self) -> int:
        """Frames of the video, as decord counts them.

        Raises:
            DecordError: if it cannot be read.
        """
        return self._ask(0, 1)[0]

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1`, uint8 `(t, c, h, w)`.

        Raises:
            DecordError: if they cannot be read.
        """
        pieces = range(start, start + count, TOGETHER)
        frames = [self._ask(first, min(TOGETHER, start + count - first))[1] for first in pieces]
        return rearrange(frames[0] if len(frames) == 1 else torch.cat(frames), "t h w c -> t c h w").contiguous()

    def _ask(self, start: int, count: int) -> tuple[int, Tensor]:
        place = zlib.crc32(os.fsencode(self.path)) % len(_GIVEN_UP)
        if _GIVEN_UP[place]:
            raise DecordError("another process has seen decord stall on it")
        try:
            return helper().ask(str(self.path.absolute()), start, count)
        except StallError:
            _GIVEN_UP[place] = 1
            raise


class Helper:
    """A process that decodes by decord, for one process at a time."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            # -P: the modules beside the program are not to be taken for others of their names.
            [sys.executable, "-P", decord_process.__file__],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.requests = cast(IO[bytes], self.process.stdin)
        self.answers = io.BufferedReader(cast(io.RawIOBase, self.process.stdout))
        self.lock = threading.Lock()
        self.finalizer = weakref.finalize(self, end, self.process)

    def ask(self, path: str, start: int, count: int) -> tuple[int, Tensor]:
        """The number of frames of a video, and some of them, uint8 `(t, h, w, c)`.

        Raises:
            DecordError: if decord cannot read them.
            StallError: if it does not answer; the process has ended then.
        """
        request = {"path": path, "start": start, "count": count, "patience": PATIENCE}
        began = time.monotonic()
        with self.lock:
            try:
                self.requests.write(json.dumps(request).encode() + b"\n")
                header = json.loads(self.answers.readline() or b"null")
                if header and "error" not in header:
                    frames = torch.empty(header["shape"], dtype=torch.uint8)
                    if self.answers.readinto(frames.numpy().data.cast("B")) == frames.numel():
                        return header["length"], frames
            except (BrokenPipeError, json.JSONDecodeError):
                header = None
        if header and "error" in header:
            raise DecordError(header["error"])
        end(self.process)
        if time.monotonic() - began >= PATIENCE:
            raise StallError(f"gave no answer in {PATIENCE:g} seconds")
        raise StallError(f"broke down (exit code {self.process.returncode})")


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a helper's process, wherever it is stuck."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


_helper: Helper | None = None
_inherited: list[Helper | None] = []  # the parent's, kept for ever: to let go of one would end it
_GIVEN_UP = mmap.mmap(-1, 4096)  # bytes by checksum of paths, shared with forks: files on which decord has stalled


def helper() -> Helper:
    """This process's helper, started where there is none that lives.

    Raises:
        DecordError: if the system lets no process start.
    """
    global _helper
    if _helper is None or _helper.process.poll() is not None:
        try:
            _helper = Helper()
        except OSError as error:
            raise DecordError(f"its process cannot be started ({error.strerror})") from None
    return _helper


def _leave_helper_to_parent() -> None:
    global _helper
    if _helper is not None:
        _helper.finalizer.detach()
        _inherited.append(_helper)
    _helper = None


if hasattr(os, "register_at_fork"):  # not on Windows, where processes are never forked
    os.register_at_fork(after_in_child=_leave_helper_to_parent)


def decord_is_installed() -> bool:
    """Whether decord is there; its import, which is slow, is not needed to know."""
    return find_spec("decord") is not None
