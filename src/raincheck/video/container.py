"""Video files, decoded in order by PyAV.

decord is not used here: it holds more memory the longer it reads, and its batches can hang on some H.264 files.
"""

from collections.abc import Callable, Iterator
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
from raincheck.video.colour import EXACT, colour_of_frame
from raincheck.video.intact import check_intact
from raincheck.video.stream import FOLDER_RATE, Picture, Stream
from raincheck.video.times import Times, start_of

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
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
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


def decoded(path: Path) -> Iterator[VideoFrame]:
    """Yields the frames of a video file in the order in which they are shown.

    Raises:
        InputError: as `opened`, or at the frame that cannot be read or decoded, or if there is none.
    """
    done = 0
    with opened(path) as (container, track):
        # MPEG-TS flags packets after any gap in a recording; elsewhere the flag means that the packet is incomplete.
        strict = "mpegts" not in container.format.name
        try:
            for packet in container.demux(track):
                if strict and packet.is_corrupt:
                    raise InputError(f"{path} breaks off at frame {done}; copy or download the file again")
                for frame in packet.decode():
                    yield frame
                    done += 1
        except av.FFmpegError as error:
            raise InputError(
                f"{path} is corrupt at frame {done} ({error.strerror}); copy or download the file again"
            ) from None
    if done == 0:
        raise InputError(f"{path} has no frames; give a video with at least one")


def to_tensor(frame: VideoFrame) -> Tensor:
    """A decoded frame as uint8 `(c, h, w)` RGB, as decord converts it: fast, and about a grey level too dark."""
    return channels_first(frame.to_ndarray(format="rgb24"))


def to_picture(frame: VideoFrame) -> Tensor:
    """A decoded frame as uint8 `(c, h, w)` RGB, rounded correctly; untagged colours are taken as players take them."""
    # RGB formats have no matrix, and theirs is not to be overridden.
    matrix = None if frame.format.is_rgb else colour_of_frame(frame).converter
    return channels_first(frame.reformat(format="rgb24", src_colorspace=matrix, interpolation=EXACT).to_ndarray())


def channels_first(pixels: npt.NDArray[Any]) -> Tensor:
    """`(h, w, c)` to `(c, h, w)`."""
    return rearrange(torch.from_numpy(pixels), "h w c -> c h w").contiguous()


def same_size_pictures(path: Path, size: tuple[int, int], times: Callable[[], Times]) -> Iterator[Picture]:
    """Yields the frames of a video file.

    Args:
        path: the video file.
        size: height and width.
        times: makes a new clock.

    Raises:
        InputError: as `decoded`, or if a frame's height and width are not `size`.
    """
    clock = times()
    for index, frame in enumerate(decoded(path)):
        if (frame.height, frame.width) != size:
            raise InputError(
                f"{path} changes from {size[1]}x{size[0]} to {frame.width}x{frame.height} at frame {index}; split it"
            )
        yield Picture(to_picture(frame), clock.next(frame.pts))


def announced(container: InputContainer, track: VideoStream, fps: Fraction) -> int | None:
    """Frames that the header announces, else an estimate from the duration, else None."""
    if track.frames:
        return track.frames
    seconds = None if container.duration is None else Fraction(container.duration, av.time_base)
    return max(1, round(seconds * fps)) if seconds is not None else None


def open_video(path: Path) -> Stream:
    """Opens a video file, and decodes its first frame to know what the others must be like.

    Raises:
        InputError: if it is no readable video file, is truncated, or its first frame cannot be decoded.
    """
    with opened(path) as (container, track):
        fps = track.average_rate or track.base_rate or FOLDER_RATE
        length = announced(container, track, fps)
        start, tick = start_of(container, track), track.time_base or 1 / fps
        aspect = track.sample_aspect_ratio
    frames = decoded(path)
    first = next(frames)
    frames.close()  # type: ignore[attr-defined]  # a generator: closes the file now
    size = (first.height, first.width)
    return Stream(
        path=path,
        size=size,
        fps=fps,
        length=length,
        names=None,
        rotation=int(first.rotation),
        source=lambda: same_size_pictures(path, size, lambda: Times(start, tick, fps)),
        counter=lambda: sum(1 for _ in decoded(path)),
        colour=colour_of_frame(first),
        aspect=aspect,
        tick=tick,
    )
