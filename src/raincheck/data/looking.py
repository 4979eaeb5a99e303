"""What is in a folder of frames or a video file: numbers, sizes, what cannot be read, what is no frame."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from raincheck.data.workers import workers
from raincheck.datasets.layout import Source
from raincheck.errors import InputError
from raincheck.processes import cores
from raincheck.video.images.listing import entries, pictures
from raincheck.video.images.still import image_size, read_image
from raincheck.video.reading.decode import open_video

Size = tuple[int, int]
SHARE = 1000  # images that are worth another process, which takes seconds to start


@dataclass
class Seen:
    """What was found in a source.

    Attributes:
        length: frames.
        numbers: of the frames, in natural order of their names; None for one without. Empty for a video file.
        sizes: height and width in pixels, and how many frames have them.
        unreadable: frames that cannot be read, and why; a video file as a whole.
        other: names of files and folders beside the frames that are no images.
    """

    length: int = 0
    numbers: list[int | None] = field(default_factory=list)
    sizes: Counter[Size] = field(default_factory=Counter)
    unreadable: dict[Path, str] = field(default_factory=dict)
    other: list[str] = field(default_factory=list)


class Looker:
    """Looks at each source once, though videos may share a clean twin.

    Args:
        deep: decode every frame; else the headers of images and video files are read.
        progress: called with the number of frames seen so far.
    """

    def __init__(self, deep: bool, progress: Callable[[int], None]) -> None:
        self.deep, self.progress, self.done = deep, progress, 0
        self.seen: dict[Source, Seen] = {}

    def look(self, sources: Sequence[Source]) -> None:
        """Looks at sources that were not seen yet."""
        new = [source for source in dict.fromkeys(sources) if source not in self.seen]
        for source in new:
            self.seen[source] = look_at_folder(source) if source.path.is_dir() else self.video(source.path)
            self.done += self.seen[source].length
            self.progress(self.done)
        if self.deep:
            frames = {path: self.seen[source] for source in new for path in source.frames()}
            sound = [path for path, seen in frames.items() if path not in seen.unreadable]
            for path, why in decode_all(sound).items():
                frames[path].unreadable[path] = why

    def video(self, path: Path) -> Seen:
        """Looks at a video file; without `deep` its length is what its container announces, if it does."""
        try:
            stream = open_video(path)
            length = stream.count() if self.deep or stream.length is None else stream.length
        except InputError as error:
            return Seen(unreadable={path: reason(path, error)})
        return Seen(length, sizes=Counter({stream.size: length}))


def look_at_folder(source: Source) -> Seen:
    """Reads the headers of a folder's frames.

    Raises:
        InputError: if the folder cannot be read.
    """
    inside, frames = entries(source.path), source.frames()
    images = set(pictures(inside))
    seen = Seen(len(frames), source.numbers(frames))
    seen.other = [path.name for path in inside if path not in images]
    for path in frames:
        try:
            seen.sizes[image_size(path)] += 1
        except InputError as error:
            seen.unreadable[path] = reason(path, error)
    return seen


def decode_all(paths: Sequence[Path]) -> dict[Path, str]:
    """Decodes images on all cores; returns those that are broken, and why."""
    with workers(min(cores(), len(paths) // SHARE), "decoded", "free some memory, or leave --deep out") as pool:
        found = pool.map(why_broken, paths, chunksize=64)
        return {path: why for path, why in zip(paths, found, strict=True) if why is not None}


def why_broken(path: Path) -> str | None:
    """Decodes an image; None if that works."""
    try:
        read_image(path)
    except InputError as error:
        return reason(path, error)
    return None


def reason(path: Path, error: InputError) -> str:
    """What is wrong with a file, without its path and the advice, which fill a table."""
    return str(error).removeprefix(str(path)).partition(";")[0].strip()
