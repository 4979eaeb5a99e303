"""Opening video that is read once, in order."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from raincheck.errors import InputError
from raincheck.video.colour import colour_of_frame
from raincheck.video.display import asides_of, display_of
from raincheck.video.images.listing import SUFFIXES
from raincheck.video.images.sequence import images_stream, open_folder
from raincheck.video.part import Part
from raincheck.video.reading.container import decoded, opened, to_picture
from raincheck.video.reading.seek import followed, lasting_in, part_frames
from raincheck.video.reading.times import Times, end_of, lasting, rate_of, start_of
from raincheck.video.stream import FOLDER_RATE, Picture, Stream


def open_stream(path: str | Path, fps: Fraction = FOLDER_RATE) -> Stream:
    """Opens a video file, a folder of images or one image for reading once, in order, in constant memory.

    Args:
        path: a video file that FFmpeg can read, a folder of frames in natural order of their names, or an image.
        fps: frames per second of images.

    Raises:
        InputError: if there is nothing there, no video, no pictures, a truncated file, or frames of different sizes.
    """
    path = Path(path)
    if path.is_dir():
        return open_folder(path, fps)
    if not path.is_file():
        raise InputError(f"there is no video at {path}; give a video file or a folder of frames")
    if path.suffix.lower() in SUFFIXES:
        return images_stream(path, [path], fps)
    return open_video(path)


def announced(container: InputContainer, track: VideoStream, fps: Fraction) -> int | None:
    """Frames that the header announces, else an estimate from the duration, else None."""
    if track.frames:
        return track.frames
    seconds = None if container.duration is None else Fraction(container.duration, av.time_base)
    return max(1, round(seconds * fps)) if seconds is not None else None


def has_alpha(frame: VideoFrame) -> bool:
    """Whether a frame can say for each pixel how much of it is to be seen."""
    return any(component.is_alpha for component in frame.format.components)


def see_through(frame: VideoFrame) -> bool:
    """Whether any pixel of a frame is not wholly opaque; every GIF has frames that can say so, and few do."""
    return has_alpha(frame) and bool((frame.to_ndarray(format="rgba")[..., 3] < 255).any())


def open_video(path: Path) -> Stream:
    """Opens a video file, and decodes its first frame to know what the others must be like.

    Raises:
        InputError: if it is no readable video file, is truncated, or its first frame cannot be decoded.
    """
    with opened(path) as (container, track):
        fps = rate_of(track) or FOLDER_RATE
        length = announced(container, track, fps)
        start, end, tick = start_of(container, track), end_of(container, track), track.time_base or 1 / fps
        aspect = track.sample_aspect_ratio
        beside = track.metadata.get("alpha_mode") == "1"  # VP8's and VP9's is a second picture, which is not decoded
        animation = track.codec_context.name == "gif"
    first = next(decoded(path))
    size = (first.height, first.width)

    def source(part: Part, around: int, deep: bool) -> Iterator[Picture]:
        frames = part_frames(path, size, lambda: Times(start, tick, fps), part, around)
        for (frame, following), time, own in part.select(followed(frames), around):
            last = following is None
            until = following
            if last and end is not None:
                until = max(end - start, time + (lasting(frame) or 1 / fps))
            yield Picture(to_picture(frame, deep), time, own, lasting_in(part, frame, time, until, fps), last)

    return Stream(
        path=path,
        size=size,
        fps=fps,
        length=length,
        names=None,
        source=source,
        counter=lambda: sum(1 for _ in decoded(path)),
        colour=colour_of_frame(first),
        aspect=aspect,
        tick=tick,
        bits=max(component.bits for component in first.format.components),
        interlaced=bool(first.interlaced_frame),
        transparent=beside or (see_through(first) if animation else has_alpha(first)),
        display=display_of(first),
        asides=asides_of(first),
    )
