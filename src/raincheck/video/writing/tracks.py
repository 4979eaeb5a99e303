"""Which tracks of a file besides its pictures an output can hold, and what is copied of their tags."""

from io import BytesIO

import av
from av.stream import Discard, Stream

from raincheck.video.writing.output import CONTAINERS

KINDS = ("audio", "subtitle", "attachment")
# Tags that say how the input was written; the output's own container writes others.
ABOUT_THE_FILE = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "number_of_frames"}


def is_told_otherwise(track: Stream) -> bool:
    """Whether a track only says what the file's chapters or tags say too, which are kept."""
    return track.type == "data" and (track.discard == Discard.all or "timecode" in track.metadata)


def accepts(container: str, track: Stream) -> bool:
    """Whether a container format can hold a track: tried in memory, because FFmpeg's tables say yes too often."""
    if track.type == "attachment" and container == "webm":  # FFmpeg takes them, and writes none
        return False
    with av.open(BytesIO(), "w", format=container) as trial:
        try:
            trial.add_stream_from_template(track)
            trial.start_encoding()
        except (av.FFmpegError, ValueError):
            return False
    return True


def advice(track: Stream) -> str:
    """What to do about a track that a container cannot hold."""
    suffixes = [suffix for suffix, container in CONTAINERS.items() if accepts(container, track)]
    best = min(suffixes, key=[".mkv", *CONTAINERS].index, default=None)
    return "convert it first to keep it" if best is None else f"name a {best} file to keep it"


def told(tags: dict[str, str]) -> dict[str, str]:
    """Tags without those that are about the input's file, or that Matroska counts anew."""
    return {key: value for key, value in tags.items() if key.lower() not in ABOUT_THE_FILE and key[:1] != "_"}
