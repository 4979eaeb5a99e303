"""Raw frames, rgb24, from standard input and to standard output."""

import sys

from raincheck.deraining.api import Options, Video, derain
from raincheck.progress import frame_counter
from raincheck.video.reading.raw import raw_frames


def raw_input(dimensions: tuple[int, int]) -> Video:
    """The frames of that width and height that come on standard input."""
    return raw_frames(sys.stdin.buffer, *dimensions)


def to_pipe(video: Video, name: str, options: Options) -> None:
    """Derains a video to standard output, each frame as soon as it is ready, with a progress bar of that name.

    Raises:
        RaincheckError: as `derain`.
    """
    with frame_counter(name) as progress:
        for frame in derain(video, **(options | {"progress": progress})):
            sys.stdout.buffer.write(frame.tobytes())
            sys.stdout.buffer.flush()
