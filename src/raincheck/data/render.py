"""`raincheck data render`: a paired data set from clean video, in the layout of NTURain.

    Dataset_{Training,Testing}_Rendered/<clip>_GT/%05d.png
    Dataset_{Training,Testing}_Rendered/<clip>_Rain_%02d/%05d.png
    Streaks/<clip>_Rain_%02d/%05d.png, Veil/...        with `layers`, 16 bits
    manifest.json, SHA256SUMS                          when all is done

A video is rendered in parts, by as many processes as there are, into a hidden folder that takes its name when it is
whole. Every frame is a function of the request, so a frame that is there need not be made again.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from raincheck.checkpoint import locked
from raincheck.data.clips import Clip, Size
from raincheck.data.manifest import Made, read_manifest, write_manifest
from raincheck.data.painting import Painting, hidden, paint
from raincheck.data.request import CLAIM, SPLITS, Request, claim
from raincheck.data.workers import workers
from raincheck.errors import OutputError, RaincheckError
from raincheck.video.ahead import ahead

PART = 2**23  # bytes of clean frames that a process gets at once
LONGEST = 8  # frames of such a part at most, so that short clips are shared too

Progress = Callable[[int, int | None], None]


@dataclass
class Work:
    """A video on its way.

    Attributes:
        made: what the manifest will say of it.
        painting: what the processes are told.
        futures: its parts.
    """

    made: Made
    painting: Painting
    futures: list[Future[int]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether it is in place: its own folder is moved last."""
        return self.painting.folder.is_dir()

    def begin(self) -> None:
        """Makes its hidden folders; what is in them already is kept.

        Raises:
            OutputError: if they cannot be made.
        """
        for folder in map(hidden, self.painting.folders):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"cannot write {folder}: {error.strerror}; choose a writable --out") from None

    def finish(self) -> None:
        """Gives its folders their names."""
        for folder in self.painting.folders:
            if folder.is_dir():  # the process was killed between two
                continue
            for leftover in hidden(folder).glob(".*"):  # of a process that was killed while it wrote
                leftover.unlink()
            hidden(folder).rename(folder)

    def abandon(self) -> None:
        """Removes what is not finished."""
        for folder in map(hidden, self.painting.folders):
            shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Footage:
    """A clean clip and its videos.

    Attributes:
        clip: where its frames are.
        size: height and width as rendered.
        length: about how many frames, None if that is unknown.
        works: the clean video and its variants.
    """

    clip: Clip
    size: Size
    length: int | None
    works: list[Work]


def render_set(
    request: Request, out: Path, jobs: int | None = None, progress: Progress = lambda done, total: None
) -> dict[str, Any]:
    """Renders a paired data set; the same request into the same folder goes on where it was interrupted.

    Args:
        request: what to render.
        out: a folder that is not there, empty, or that of the same request.
        jobs: processes; None is one a core.
        progress: called with the frames written so far and, if known, in all.

    Returns:
        The manifest.

    Raises:
        ConfigError: if the request cannot be met, or the folder was begun with another.
        InputError: if a clip cannot be read.
        OutputError: if the folder cannot be used.
    """
    check_apart(request.clean, out)
    clips = request.clips()
    every = [clip for part in clips.values() for clip in part]
    plan = [planned(request, clip, split, out) for split, part in clips.items() for clip in part]
    works, wanted = [work for footage in plan for work in footage.works], request.claim(every)
    with locked(out):
        new = claim(out, wanted)
        finished = read_manifest(out)
        if finished is not None:
            return finished
        count = jobs or os.cpu_count() or 1
        try:
            with workers(count) as pool:
                Renderer(pool, count, progress).run(plan)
                return write_manifest(out, wanted, [(work.made, work.painting.folders) for work in works], pool)
        except RaincheckError:
            for work in works:
                work.abandon()
            if new and not any(work.done for work in works):
                remove_begun(out)
            raise


def check_apart(inputs: Sequence[Path], out: Path) -> None:
    """Refuses an output that is, holds or is inside an input.

    Raises:
        OutputError: naming the input.
    """
    place = out.resolve()
    for given in inputs:
        source = given.resolve()
        if place == source or place in source.parents or source in place.parents:
            raise OutputError(f"{out} and the clean clips {given} are inside one another; choose another --out")


def remove_begun(out: Path) -> None:
    """Leaves an output folder as empty as it was, when nothing in it is finished."""
    (out / CLAIM).unlink()
    for part in (*SPLITS.values(), "Streaks", "Veil"):
        shutil.rmtree(out / part, ignore_errors=True)


def planned(request: Request, clip: Clip, split: str, out: Path) -> Footage:
    """A clip and its videos: the clean one and its variants.

    Raises:
        InputError: if it cannot be read.
        ConfigError: if a variant cannot be rendered.
    """
    size, fps, length = clip.look()
    clean = Made(
        split, f"{SPLITS[split]}/{clip.name}_GT", clip.path.name, fps, size, clip.depth.name if clip.depth else None
    )
    works = [Work(clean, Painting(out / clean.folder, request.suffix))]
    for variant in range(1, (request.variants or len(request.rains)) + 1):
        kind, rain, seed = request.rain(clip.name, variant, fps)
        name = f"{clip.name}_Rain_{variant:02d}"
        painting = Painting(
            out / SPLITS[split] / name,
            request.suffix,
            rain,
            seed,
            None if request.streaks is None else request.streaks.resolve(),
            out / "Streaks" / name if request.layers else None,
            out / "Veil" / name if request.layers and clip.depth is not None else None,
        )
        works.append(Work(clean.under(f"{SPLITS[split]}/{name}", kind, rain, seed), painting))
    return Footage(clip, size, length, works)


class Renderer:
    """Hands the parts of all videos to processes, a bounded number ahead, and puts in place what is whole.

    Args:
        pool: the processes.
        count: how many they are.
        progress: as for `render_set`.
    """

    def __init__(self, pool: Executor, count: int, progress: Progress) -> None:
        self.pool, self.most, self.progress = pool, 2 * count, progress
        self.done, self.total = 0, 0
        self.pending: set[Future[int]] = set()
        self.given: list[Work] = []  # all of whose parts are given

    def run(self, plan: Sequence[Footage]) -> None:
        """Renders all videos that are not there yet.

        Raises:
            InputError: if a clip cannot be read.
            OutputError: if a file cannot be written.
        """
        lengths = [footage.length for footage in plan for _ in footage.works]
        self.total = sum(length or 0 for length in lengths)
        for footage in plan:
            self.give(footage)
            self.collect()
        while self.pending:
            self.await_one()
        self.collect()

    def give(self, footage: Footage) -> None:
        """Gives all parts of a clip to the processes."""
        works = [work for work in footage.works if not work.done]
        self.count((len(footage.works) - len(works)) * (footage.length or 0))
        for work in works:
            work.begin()
        bytes_a_frame = 3 * footage.size[0] * footage.size[1]
        if works:
            for start, frames in ahead(footage.clip.parts(max(1, min(LONGEST, PART // bytes_a_frame)))):
                depth = footage.clip.distances(start, len(frames), footage.size)
                for work in works:
                    self.give_part(work, start, frames, depth)
        self.given += works

    def give_part(self, work: Work, start: int, frames: Tensor, depth: Tensor | None) -> None:
        """Gives a part of a video to a process, unless it is there already from an earlier try."""
        if all(path.exists() for path in work.painting.files(start, len(frames))):
            self.count(len(frames))
            return
        while len(self.pending) >= self.most:
            self.await_one()
        distances = None if depth is None else depth.numpy()
        future = self.pool.submit(paint, work.painting, start, frames.numpy(), distances)
        work.futures.append(future)
        self.pending.add(future)

    def await_one(self) -> None:
        """Waits until a part is written; raises what went wrong with it."""
        done, self.pending = wait(self.pending, return_when=FIRST_COMPLETED)
        for future in done:
            self.count(future.result())

    def collect(self) -> None:
        """Puts in place what is whole."""
        for work in [work for work in self.given if not self.pending.intersection(work.futures)]:
            work.finish()
            self.given.remove(work)

    def count(self, frames: int) -> None:
        """Tells of more frames."""
        self.done += frames
        self.progress(self.done, max(self.total, self.done) or None)
