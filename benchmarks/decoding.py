"""Frames a second from a video file, by decoder and order of access, and what keeping them decoded costs."""

import mmap
import multiprocessing
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import av
import numpy as np
import torch
from einops import rearrange
from skimage import data
from torch import Tensor

from memory import proportional
from raincheck.datasets.held import Held
from raincheck.video.access.decord_reader import DecordReader
from raincheck.video.access.footage import VideoFile
from raincheck.video.access.readers import PyAVReader
from raincheck.video.reading.container import decoded

SIZE, FRAMES, WINDOW = (480, 640), 240, 5
Read = Callable[[int, int], Tensor]
CONTEXT: Any = multiprocessing.get_context("fork")


def film(path: Path, size: tuple[int, int] = SIZE, frames: int = FRAMES, **options: str) -> Path:
    """A camera that moves over a photograph, as H.264 with x264's usual key frames."""
    picture = data.astronaut()
    high, wide = size
    with av.open(str(path), "w") as file:
        track: Any = file.add_stream("libx264", rate=25, options=options)
        track.height, track.width, track.pix_fmt = high, wide, "yuv420p"
        for index in range(frames):
            shown = np.roll(picture, (index, 2 * index), (0, 1))
            shown = np.tile(shown, (-(-high // 512), -(-wide // 512), 1))[:high, :wide]
            file.mux(track.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(shown), format="rgb24")))
        file.mux(track.encode())
    return path


def starts(count: int, order: str) -> list[int]:
    """First frames of windows: one after another, or at random."""
    if order == "sequential":
        return list(range(0, FRAMES - WINDOW + 1, WINDOW))[:count]
    return [int(start) for start in np.random.default_rng(0).integers(0, FRAMES - WINDOW + 1, count)]


def rate(read: Read, order: str, seconds: float) -> float:
    """Frames a second in windows of `WINDOW`, over some seconds."""
    read(0, WINDOW)  # opens the file
    began, done = time.perf_counter(), 0
    for start in starts(10_000, order) * (100 if order == "sequential" else 1):
        read(start, WINDOW)
        done += WINDOW
        if time.perf_counter() - began > seconds:
            break
    return done / (time.perf_counter() - began)


def decord_here(path: Path, order: str, seconds: float, pipe: Connection) -> None:
    """Decord in the process that wants the frames, to know what the distance costs."""
    import decord

    torch.set_num_threads(1)  # those of the parent are not there after a fork
    video = decord.VideoReader(str(path), num_threads=1)

    def read(start: int, count: int) -> Tensor:
        pixels = torch.from_numpy(video.get_batch(range(start, start + count)).asnumpy())
        return rearrange(pixels, "t h w c -> t c h w").contiguous()

    pipe.send(rate(read, order, seconds))
    os._exit(0)  # an open reader crashes an interpreter that ends


def decoding_rows(path: Path, seconds: float) -> list[list[str]]:
    """One row for each decoder and order."""
    held, rows = Held(VideoFile(path), 32), []
    held.read(0, FRAMES)
    readers: dict[str, Read] = {
        "decord": DecordReader(path).read,
        "PyAV": PyAVReader(path, [frame.pts for frame in decoded(path)]).read,
        "cached": lambda start, count: held.read(start, count).clone(),
    }
    for order in ("sequential", "random"):
        rows += [row(f"decode, {name}, {order}", rate(read, order, seconds)) for name, read in readers.items()]
        ours, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=decord_here, args=(path, order, seconds, theirs))
        process.start()
        rows.append(row(f"decode, decord in the same process, {order}", ours.recv()))
        process.join()
    return rows


def row(what: str, frames: float) -> list[str]:
    """A rate in frames, as windows too."""
    return [what, f"{frames:.0f} frames/s", f"{1000 * WINDOW / frames:.2f} ms a window", ""]


def memory_of(kind: str, size: int) -> Any:
    """Memory for frames: of the process alone, shared with its forks, or a file's."""
    if kind == "each its own":
        return None
    if kind == "shared":
        return mmap.mmap(-1, size)
    with TemporaryFile() as file:
        file.truncate(size)
        return mmap.mmap(file.fileno(), size)


def fill_and_read(kind: str, memory: Any, path: Path, reads: int, worker: int, pipe: Connection) -> None:
    """What a loader's worker does: decodes what is not there yet, and reads random windows."""
    torch.set_num_threads(1)
    shape = (FRAMES, 3, *SIZE)
    own = memory is None
    frames = torch.empty(shape, dtype=torch.uint8) if own else torch.frombuffer(memory, dtype=torch.uint8).view(shape)
    began = time.perf_counter()
    reader = DecordReader(path)
    for first in range(0, FRAMES, 32):
        if own or (first // 32) % 2 == worker:
            count = min(32, FRAMES - first)
            frames[first : first + count] = reader.read(first, count)
    decoding = time.perf_counter() - began
    pipe.send(None)  # all have decoded when the parent answers
    pipe.recv()
    began = time.perf_counter()
    for start in starts(reads, "random"):
        frames[start : start + WINDOW, :, 100:164, 100:164].clone()
    pipe.send((decoding, reads / (time.perf_counter() - began), os.getpid()))
    pipe.recv()


def caching_rows(path: Path, workers: int = 2, reads: int = 5000) -> list[list[str]]:
    """Three places for decoded frames, each in use by two workers."""
    rows, size = [], FRAMES * 3 * SIZE[0] * SIZE[1]
    for kind in ("each its own", "shared", "file"):
        memory, before = memory_of(kind, size), proportional([os.getpid()])
        pipes = [CONTEXT.Pipe() for _ in range(workers)]
        processes = [
            CONTEXT.Process(target=fill_and_read, args=(kind, memory, path, reads, index, theirs))
            for index, (_, theirs) in enumerate(pipes)
        ]
        for process in processes:
            process.start()
        for ours, _ in pipes:
            ours.recv()
        for ours, _ in pipes:
            ours.send(None)
        results = [ours.recv() for ours, _ in pipes]
        taken = proportional([os.getpid(), *(pid for *_, pid in results)]) - before
        for ours, _ in pipes:
            ours.send(None)
        for process in processes:
            process.join()
        first, rates = max(seconds for seconds, *_ in results), sum(rate for _, rate, _ in results)
        rows.append(
            [
                f"cache for {workers} workers, {kind}",
                f"{rates:.0f} windows/s",
                f"{first:.2f} s to decode",
                f"{taken:.0f} MB",
            ]
        )
    return rows
