"""What a training step waits for its clips, how many cores would feed a fast GPU, and whether memory grows."""

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

from decoding import film
from memory import proportional
from raincheck.datasets.base import PairedVideo
from raincheck.datasets.clips import TrainClips
from raincheck.datasets.held import Held, Room
from raincheck.datasets.pair import PairedFootage
from raincheck.datasets.rendered import RenderedRain
from raincheck.datasets.rendering.video import RenderedVideo
from raincheck.networks import RRGNet
from raincheck.rain.presets import PRESETS
from raincheck.rain.render import RainField, lay, render
from raincheck.video.access.footage import VideoFile

WINDOW, CROP, BATCH = 5, 64, 8
RAINS = ("thin", "veil", "wind")


def rendering_rows(seconds: float) -> list[list[str]]:
    """Rain over ready clips, one thread: clips as in training, and frames of 640x480 of one rain."""
    threads, rows = torch.get_num_threads(), []
    torch.set_num_threads(1)
    for rain in RAINS:
        for size in (64, 256):
            clean = torch.randint(0, 256, (WINDOW, 3, size, size), dtype=torch.uint8)
            clips = rate(lambda seed, clean=clean, rain=rain: render(clean, PRESETS[rain], seed), seconds)
            what = f"render {rain}, {WINDOW}x{size}x{size}"
            rows.append([what, f"{clips:.1f} clips/s", f"{1000 / clips:.1f} ms", ""])
        field = RainField(PRESETS[rain], (480, 640), 0)
        clean = torch.randint(0, 256, (1, 3, 480, 640), dtype=torch.uint8)
        frames = rate(lambda start, field=field, clean=clean: lay(clean, field, start), seconds)
        rows.append([f"render {rain}, 640x480", f"{frames:.1f} frames/s", f"{1000 / frames:.1f} ms", ""])
    torch.set_num_threads(threads)
    return rows


def rate(work: Any, seconds: float) -> float:
    """How often a second `work(i)` is done."""
    work(0)
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        done += 1
        work(done)
    return done / (time.perf_counter() - began)


def sources(folder: Path, room: Room) -> dict[str, list[PairedVideo]]:
    """Training videos of four kinds; the first are filmed photographs, as in the demonstration."""
    path = film(folder / "film.mp4", (240, 320), g="12")
    rains = tuple(PRESETS[name] for name in RAINS)
    mixed = RenderedRain("mixed", list(RAINS), photographs="bundled")
    held = Held(VideoFile(path), 32, room)
    return {
        "rain over photographs": list(mixed.task(0).train),
        "rain over a film in memory": [RenderedVideo(held, rains)],
        "rain over a film on disk": [RenderedVideo(VideoFile(path), rains)],
        "pairs in memory": [PairedFootage("pair", held, held)],
    }


def clips(videos: list[PairedVideo], samples: int) -> TrainClips:
    """The training data of one experience."""
    return TrainClips(videos, window=WINDOW, crop=CROP, samples=samples, seed=0, experience=0)


def sample_rows(kinds: dict[str, list[PairedVideo]], seconds: float) -> tuple[list[list[str]], float]:
    """Clips a second that one core prepares, from each kind; and seconds a clip of the first."""
    threads, rows, first = torch.get_num_threads(), [], 0.0
    torch.set_num_threads(1)
    for kind, videos in kinds.items():
        data = clips(videos, 10**6)
        done = rate(data.__getitem__, seconds)
        first = first or 1 / done
        rows.append([f"clips of {WINDOW}x{CROP}x{CROP}, {kind}", f"{done:.0f} clips/s", f"{1000 / done:.1f} ms", ""])
    torch.set_num_threads(threads)
    return rows, first


@dataclass(frozen=True)
class Step:
    """Seconds of the median step with its waiting, and what share of all time was spent waiting."""

    seconds: float
    waited: float


def train(batches: Iterator[tuple[Tensor, Tensor, Tensor]], steps: int, warm_up: int = 4) -> Step:
    """Trains the default RRGNet with Adam, and watches the clock."""
    torch.manual_seed(0)
    network = RRGNet()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    waits, totals = [], []
    for step in range(warm_up + steps):
        began = time.perf_counter()
        rainy, clean, _ = next(batches)
        ready = time.perf_counter()
        optimizer.zero_grad()
        F.l1_loss(network(rainy), clean).backward()
        optimizer.step()
        if step >= warm_up:
            waits.append(ready - began)
            totals.append(time.perf_counter() - began)
    return Step(median(totals), sum(waits) / sum(totals))


def loader_rows(videos: list[PairedVideo], steps: int, repeats: int) -> list[list[str]]:
    """The step on ready tensors, and fed by a loader with some workers; repeats take turns, the medians count."""
    data = clips(videos, (steps + 8) * BATCH)
    ready = [torch.utils.data.default_collate([data[i] for i in range(BATCH)])]
    found: dict[str, list[Step]] = {}
    for _ in range(repeats):
        found.setdefault("ready tensors", []).append(train(itertools.cycle(ready), steps))
        for workers in (0, 1, 2):
            loader: DataLoader[Any] = DataLoader(data, BATCH, num_workers=workers)
            name = f"{workers} worker{'s' * (workers != 1)}"
            found.setdefault(name, []).append(train(iter(loader), steps))
    best = median(step.seconds for step in found["ready tensors"])
    return [
        [
            f"step of the default RRGNet, {name}",
            f"{1000 * median(step.seconds for step in timed):.0f} ms a step",
            f"{100 * median(step.waited for step in timed):.1f} % of it waiting",
            f"x {median(step.seconds for step in timed) / best:.2f}",
        ]
        for name, timed in found.items()
    ]


def cores_row(seconds: float, steps: int) -> list[str]:
    """Cores that prepare clips for a GPU that takes no time: a core still starts a step's operations, one by one.

    How long that takes is measured on the smallest batch there is; a larger one has as many operations. A GPU that is
    given them together (torch.compile, CUDA graphs) may want more cores.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    smallest = torch.rand(1, WINDOW, 3, 4, 4), torch.rand(1, 3, 4, 4), torch.zeros(1)
    step = train(itertools.cycle([smallest]), steps).seconds
    torch.set_num_threads(threads)
    what = f"cores for the fastest GPU, at {1 / step:.0f} steps/s of {BATCH}"
    return [what, f"{BATCH * seconds / step:.1f} cores", f"{1000 * seconds:.1f} ms a clip", ""]


def memory_rows(kinds: dict[str, list[PairedVideo]], samples: int) -> list[list[str]]:
    """Memory of the loader's process, its two workers and all their helpers, early and late in one pass."""
    videos = [videos[0] for videos in kinds.values()]
    loader: DataLoader[Any] = DataLoader(clips(videos, samples), BATCH, num_workers=2)
    marks = {samples // 5 // BATCH: 0.0, samples // BATCH - 1: 0.0}
    for batch, _ in enumerate(loader):
        if batch in marks:
            marks[batch] = proportional(family(os.getpid()))
    rows = [[f"memory after {(batch + 1) * BATCH} clips", "", "", f"{taken:.0f} MB"] for batch, taken in marks.items()]
    early, late = marks.values()
    return [*rows, ["memory, growth between them", f"{100 * (late / early - 1):+.1f} %", "", f"{late - early:+.0f} MB"]]


def family(process: int) -> list[int]:
    """A process and all that it and its descendants have started, on Linux."""
    children = [
        int(child) for task in Path(f"/proc/{process}/task").glob("*/children") for child in task.read_text().split()
    ]
    return [process, *(each for child in children for each in family(child))]
