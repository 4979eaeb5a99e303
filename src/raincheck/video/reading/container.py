"""Video files, decoded in order by PyAV.

decord is not used here: it holds more memory the longer it reads, and its batches can hang on some H.264 files.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy.typing as npt
import torch
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from einops import rearrange
from torch import Tensor

from raincheck.errors import InputError
from raincheck.video.colour import DEEP, EXACT, colour_of_frame
from raincheck.video.reading.damage import Damage
from raincheck.video.reading.intact import check_intact

av.logging.set_level(None)  # FFmpeg's own complaints would stand beside our one sentence

# Demuxers that take what is no video: text as ANSI art, lists of other files, single images (which end in _pipe).
NO_VIDEO = {"tty", "hls", "dash", "concat", "image2", "lavfi"}


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens a video file and its first picture track, the cover pictures of audio files left out.

    Raises:
        InputError: if it is no readable video file, is truncated, or has no picture track.
    """
    check_intact(path)
    try:
        # `file:` keeps a colon in a name from being read as a protocol; the whitelist keeps a playlist off the network.
        # Tags are not always UTF-8, as they should be: the title of an old .avi is of some code page.
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except av.FFmpegError as error:
        raise InputError(f"{path} is not a video that FFmpeg can read ({error.strerror}); give a video file") from None
    with container:
        kind = container.format.name
        if kind in NO_VIDEO or kind.endswith("_pipe"):
            raise InputError(f"{path} is not a video ({kind}); give a video file or a folder of frames")
        tracks = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not tracks:
            found = f"only {container.streams[0].type}" if container.streams else "nothing"
            raise InputError(f"{path} has no pictures: it holds {found}; give a video file")
        tracks[0].thread_type = "AUTO"
        yield container, tracks[0]


def decoded(path: Path, since: Fraction | None = None) -> Iterator[VideoFrame]:
    """Yields the frames of a video file in the order in which they are shown.

    Args:
        path: the video file.
        since: seconds, in the file's own time stamps, before which the first frame lies that can be decoded without
            others, if FFmpeg finds it; None begins with the first frame of all.

    Damage that FFmpeg gets over is told with a `RaincheckWarning`, unless frames before `since` are left out.

    Raises:
        InputError: as `opened`, or at the frame that cannot be read or decoded, or if there is none.
    """
    done, gap, damage = 0, False, Damage(path)
    with opened(path) as (container, track):
        # MPEG-TS flags packets after any gap in a recording; elsewhere the flag means that the packet is incomplete.
        strict = "mpegts" not in container.format.name
        try:
            if since is not None and track.time_base is not None:
                container.seek(int(since / track.time_base), stream=track)
            for packet in container.demux(track):
                if strict and packet.is_corrupt:
                    raise InputError(f"{path} breaks off at {place(done, since)}; copy or download the file again")
                gap = gap or packet.is_corrupt
                for frame in packet.decode():
                    if since is None:
                        damage.see(frame, done, gap)
                    yield frame
                    done, gap = done + 1, False
            if since is None and done:
                damage.ended(track)
        except av.FFmpegError as error:
            raise InputError(
                f"{path} is corrupt at {place(done, since)} ({error.strerror}); copy or download the file again"
            ) from None
    if done == 0:
        raise InputError(f"{path} has no frames; give a video with at least one")


def place(index: int, since: Fraction | None) -> str:
    """How errors call a frame of that index among those that were decoded."""
    return f"frame {index}" if since is None else f"frame {index} after second {float(since):.2f}"


def to_tensor(frame: VideoFrame) -> Tensor:
    """A decoded frame as uint8 `(c, h, w)` RGB, as decord converts it: fast, and about a grey level too dark."""
    return channels_first(frame.to_ndarray(format="rgb24"))


def to_picture(frame: VideoFrame, deep: bool = False) -> Tensor:
    """A decoded frame as `(c, h, w)` RGB, rounded correctly; untagged colours are taken as players take them.

    Args:
        frame: as FFmpeg decoded it.
        deep: gives uint16 instead of uint8.
    """
    # RGB formats have no matrix, and theirs is not to be overridden.
    matrix = None if frame.format.is_rgb else colour_of_frame(frame).converter
    kind, flags = ("rgb48le", DEEP) if deep else ("rgb24", EXACT)
    return channels_first(frame.reformat(format=kind, src_colorspace=matrix, interpolation=flags).to_ndarray())


def channels_first(pixels: npt.NDArray[Any]) -> Tensor:
    """`(h, w, c)` to `(c, h, w)`."""
    return rearrange(torch.from_numpy(pixels), "h w c -> c h w").contiguous()
