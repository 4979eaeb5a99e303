"""What is to be seen of a video, derained picture by picture."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from raincheck.deraining.compare import COMPARISONS
from raincheck.deraining.engine import Engine
from raincheck.deraining.passing import derain_pictures
from raincheck.video.ahead import ahead
from raincheck.video.cuts import CONTEXT
from raincheck.video.part import Part
from raincheck.video.stream import Picture, Stream

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class View:
    """What is to be seen of a video.

    Attributes:
        part: which of its pictures.
        comparison: one of `COMPARISONS`; None shows the derained pictures alone.
        cuts: no window reaches across a cut between two shots.
        deep: in 16 bits a value, where the video has more than 8.
    """

    part: Part
    comparison: str | None
    cuts: bool
    deep: bool

    def size(self, stream: Stream) -> tuple[int, int]:
        """Height and width of what is shown of a stream."""
        high, wide = stream.size
        return (high, 2 * wide) if self.comparison == "side" else (high, wide)


def derained(stream: Stream, engine: Engine, view: View, at_once: int) -> Iterator[Picture]:
    """The pictures to show with their times; so many are computed at once.

    Raises:
        InputError: if the video cannot be read, or none of its frames is in the part.
    """
    source = stream.pictures(view.part, engine.network.window // 2 + CONTEXT, view.deep)
    # Frames from memory are taken by whoever takes ours: without an output in the thread of the caller, who may need it
    # so; with one in the thread that computes.
    source = source if stream.path is None else ahead(source)
    with closing(source), closing(derain_pictures(source, engine, view.cuts, at_once)) as pictures:
        for rainy, pixels in pictures:
            shown = (
                pixels if view.comparison is None else COMPARISONS[view.comparison](rainy.pixels, pixels, rainy.time)
            )
            yield rainy._replace(pixels=shown)


def counted(pictures: Iterable[Picture], stream: Stream, view: View, progress: Progress | None) -> Iterator[Picture]:
    """Passes pictures on, and reports how many were taken and used."""
    length = view.part.count(stream.length, stream.fps)
    for done, picture in enumerate(pictures, start=1):
        yield picture
        if progress is not None:
            progress(done, length)
