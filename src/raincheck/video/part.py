"""A part of a video: from a moment up to another."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TypeVar

from raincheck.errors import ConfigError

Frame = TypeVar("Frame")

LONGEST = 40  # characters of a number


@dataclass(frozen=True)
class Moment:
    """A point of a video, in frames or in seconds.

    Attributes:
        frames: frames before it; None if it is given in seconds.
        seconds: since the video's start.
    """

    frames: int | None = None
    seconds: Fraction = Fraction(0)

    def reached(self, index: int, time: Fraction) -> bool:
        """Whether the frame of that index and time is at this moment or behind it."""
        return index >= self.frames if self.frames is not None else time >= self.seconds


def parse_moment(text: str | float) -> Moment:
    """`12.5` (seconds), `1:02:03.5` (hours, minutes, seconds) or `250f` (frames).

    Raises:
        ConfigError: if it is none of these.
    """
    words = str(text)
    try:
        if words.endswith("f"):
            moment = Moment(frames=int(words[:-1]))
        else:
            seconds = Fraction(0)
            for part in words.split(":"):
                seconds = 60 * seconds + exact(part)
            moment = Moment(seconds=seconds)
    except (ValueError, ZeroDivisionError):
        raise ConfigError(
            f"{words!r} is not a moment; give seconds (12.5), a time (1:02:03.5) or frames (250f)"
        ) from None
    if (moment.frames or 0) < 0 or moment.seconds < 0:
        raise ConfigError(f"{words!r} is before the video begins; give 0 or more")
    return moment


def exact(text: str) -> Fraction:
    """A number as it is written, such as 12.5 or 30000/1001.

    Raises:
        ValueError: if it is none, or so large or small that writing it out takes long.
        ZeroDivisionError: if it is divided by 0.
    """
    if len(text) > LONGEST or re.search(r"e[+-]?\d{3}", text, re.IGNORECASE):
        raise ValueError(text)
    return Fraction(text)


@dataclass(frozen=True)
class Part:
    """Frames from `start` up to, and without, `end`.

    Attributes:
        start: None begins with the video.
        end: None ends with the video.
    """

    start: Moment | None = None
    end: Moment | None = None

    @property
    def second(self) -> Fraction | None:
        """Seconds at which it starts, if it can be found without counting frames from the video's first."""
        counted = self.start is None or self.start.frames is not None or (self.end and self.end.frames is not None)
        return None if self.start is None or counted else self.start.seconds

    def begun(self, index: int, time: Fraction) -> bool:
        """Whether the frame of that index and time is at its start or behind it."""
        return self.start is None or self.start.reached(index, time)

    def over(self, index: int, time: Fraction) -> bool:
        """Whether the frame of that index and time is behind it."""
        return self.end is not None and self.end.reached(index, time)

    def select(self, frames: Iterable[tuple[Frame, Fraction]], around: int) -> Iterator[tuple[Frame, Fraction, bool]]:
        """Yields its frames, and `around` more before and behind it, for the windows at its ends.

        Args:
            frames: all frames with their times; those that are not yielded are not looked at.
            around: how many more.

        Yields:
            A frame, its time, and whether it belongs to the part.
        """
        before: deque[tuple[Frame, Fraction]] = deque(maxlen=around)
        for index, (frame, time) in enumerate(frames):
            if not self.begun(index, time):
                before.append((frame, time))
                continue
            while before:
                yield (*before.popleft(), False)
            over = self.over(index, time)
            around -= over
            if around < 0:
                return
            yield frame, time, not over

    def first(self, fps: Fraction) -> int:
        """The index of the first frame in a video of constant rate."""
        if self.start is None:
            return 0
        return ceil(self.start.seconds * fps) if self.start.frames is None else self.start.frames

    def count(self, length: int | None, fps: Fraction) -> int | None:
        """About how many frames it has of a video of that length and rate; None if that is unknown."""
        if length is None:
            return None
        first, last = (
            default if moment is None else round(moment.seconds * fps) if moment.frames is None else moment.frames
            for moment, default in ((self.start, 0), (self.end, length))
        )
        return max(0, min(last, length) - first)


WHOLE = Part()


def parse_part(start: str | float | None, end: str | float | None) -> Part:
    """The part between two moments, as `parse_moment` reads them; None is the video's own start or end.

    Raises:
        ConfigError: if one is no moment.
    """
    return Part(*(None if moment is None else parse_moment(moment) for moment in (start, end)))
