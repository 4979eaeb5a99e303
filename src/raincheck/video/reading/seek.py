"""The frames of a part of a video file, sought where that is safe."""

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

from av.video.frame import VideoFrame

from raincheck.errors import InputError, RaincheckWarning
from raincheck.video.part import Part
from raincheck.video.reading.container import decoded, place
from raincheck.video.reading.times import Times, lasting

TimedFrame = tuple[VideoFrame, Fraction]
# Frames that are sought too far back: some containers list key frames by when they are decoded, which is earlier than
# when they are shown.
MARGIN = 16


def part_frames(
    path: Path, size: tuple[int, int], times: Callable[[], Times], part: Part, around: int
) -> Iterator[TimedFrame]:
    """Yields the frames of a video file with their times, in order: all of them, or all from some way before a part on.

    Args:
        path: the video file.
        size: height and width.
        times: makes a new clock.
        part: where to begin. A moment in seconds is sought, one in frames is not, because frames must be counted.
        around: frames before the part that are needed too.

    Raises:
        InputError: as `decoded`, or if a frame's height and width are not `size`.
    """
    sought = None if part.second is None else from_key_frame(path, size, times(), part.second, around)
    return sought or timed_frames(path, size, times())


def timed_frames(
    path: Path, size: tuple[int, int], clock: Times, since: Fraction | None = None
) -> Iterator[TimedFrame]:
    """Yields frames with their times; arguments as `part_frames` and `decoded`.

    Raises:
        InputError: as `decoded`, or if a frame's height and width are not `size`.
    """
    told = False
    for index, frame in enumerate(decoded(path, since)):
        if (frame.height, frame.width) != size:
            raise InputError(
                f"{path} changes from {size[1]}x{size[0]} to {frame.width}x{frame.height} at {place(index, since)}; "
                "split it"
            )
        time = clock.next(frame.pts)
        if clock.onward.jumped and not told:
            told = True
            warnings.warn(
                f"the time stamps of {path} jump back at {place(index - 1, since)}; what comes then follows on",
                RaincheckWarning,
                stacklevel=2,
            )
        yield frame, time


def from_key_frame(
    path: Path, size: tuple[int, int], clock: Times, second: Fraction, around: int
) -> Iterator[TimedFrame] | None:
    """Yields the frames from at least `around` before that second on.

    None where seeking does not lead there, or where what follows it cannot be trusted: no time stamps, no frame that
    its decoder calls a key frame (QuickTime RLE's never does), frames that FFmpeg calls corrupt or cannot decode.
    Decoding from the beginning tells then what there is.
    """
    since = second - (around + MARGIN) / clock.fps
    if since <= 0:
        return None
    frames = timed_frames(path, size, clock, since + clock.start)
    before: deque[TimedFrame] = deque(maxlen=max(1, around))
    try:
        for frame, time in frames:
            if not before and not frame.key_frame:
                continue  # shown before the key frame, and made of others before it
            if frame.is_corrupt or frame.pts is None:
                return None
            if time >= second:
                return chain(before, [(frame, time)], frames) if len(before) == before.maxlen else None
            before.append((frame, time))
    except InputError:
        return None
    return iter(before) if before else None


def followed(frames: Iterable[TimedFrame]) -> Iterator[tuple[tuple[VideoFrame, Fraction | None], Fraction]]:
    """Adds to each frame the time of the next; None behind the last."""
    before: TimedFrame | None = None
    for frame, time in frames:
        if before is not None:
            yield (before[0], time), before[1]
        before = frame, time
    if before is not None:
        yield (before[0], None), before[1]


def lasting_in(part: Part, frame: VideoFrame, time: Fraction, until: Fraction | None, fps: Fraction) -> Fraction | None:
    """Seconds for which a frame of a part is shown: up to the next one, or up to the part's end if that is earlier.

    The end shortens no frame below the rate's period, or the part would have another rate.

    Args:
        part: which the frame may be the last of.
        frame: what is shown.
        time: when, in seconds.
        until: the time of the next frame, or at which the video ends by its index; None where nothing is said.
        fps: frames per second.

    Returns:
        None where nothing is said, or what the rate says, to a tick.
    """
    period = 1 / fps
    lasts = lasting(frame) or period if until is None else until - time
    if part.end is not None and part.end.frames is None:
        lasts = max(min(lasts, part.end.seconds - time), min(lasts, period))
    return None if abs(lasts - period) <= (frame.time_base or 0) else lasts
