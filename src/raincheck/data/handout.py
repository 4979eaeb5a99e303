"""Videos on their way: their parts are handed to processes, and what is whole is put in its place."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from torch import Tensor

from raincheck.data.clips import Clip, Size
from raincheck.data.manifest import Made
from raincheck.data.painting import Painting, hidden, paint
from raincheck.errors import OutputError
from raincheck.video.ahead import ahead

PART = 2**23  # bytes of clean frames that a process gets at once
LONGEST = 8  # frames of such a part at most, so that short clips are shared too

Progress = Callable[[int, int | None], None]


@dataclass
class Work:
    """A video that is being rendered.

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
