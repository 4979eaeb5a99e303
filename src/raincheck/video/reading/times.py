"""When the frames of a video file are shown."""

from fractions import Fraction

from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

LEAST = Fraction(1, 1000)  # seconds between time stamps that every container can tell apart
JUMP = Fraction(1)  # seconds that time stamps are never out of order by


def rate_of(pictures: VideoStream) -> Fraction | None:
    """Average frames per second, if they are known; of raw recordings what the pictures themselves say.

    Of these FFmpeg takes 25 for the average, or the ticks of DV.
    """
    average = pictures.average_rate
    raw = pictures.start_time is None or (pictures.time_base and average == 1 / pictures.time_base)
    return pictures.guessed_rate or average if raw or not average else average


def start_of(container: InputContainer, pictures: VideoStream) -> Fraction:
    """Seconds at which a file's first track begins: what its time stamps count from.

    Sound that begins before 0 fills a codec's delay; it does not move the start.
    """
    tracks = [s for s in container.streams if s.type in ("video", "audio", "subtitle")]
    begins = [start for track in tracks if (start := track_start(track)) is not None]
    own = track_start(pictures)
    if own is not None and own < 0:
        return own
    return min((start for start in begins if start >= 0), default=Fraction(0))


def track_start(track: Stream) -> Fraction | None:
    """Seconds of a track's first time stamp, if it is known."""
    if track.start_time is None or track.time_base is None:
        return None
    return track.start_time * track.time_base


def end_of(container: InputContainer, pictures: VideoStream) -> Fraction | None:
    """Seconds at which the last frame of an MP4 or MOV ends, by its index; None of others, which at best estimate it.

    Frames say there how long what is stored at their place lasts, which need not be what is shown. The index may say
    less than there is, where the last frame is stored last too.
    """
    start = track_start(pictures)
    if not container.format.name.startswith("mov") or start is None or not pictures.duration:
        return None
    return start + pictures.duration * (pictures.time_base or 0)


def lasting(frame: VideoFrame) -> Fraction | None:
    """Seconds for which a frame is shown, as it says itself; None where it says nothing."""
    return None if not frame.duration or frame.time_base is None else frame.duration * frame.time_base


class Onward:
    """Time stamps that go on where a file's jump back: recordings that were joined, or whose clock was set.

    One that is behind by itself is put behind the one before. Where they stay behind, by more than they are ever out of
    order, all that follow are moved.

    Args:
        least: seconds from one to the next that is put behind it; with 0, equal ones stay.
    """

    def __init__(self, least: Fraction) -> None:
        self.least = least
        self.shift = Fraction(0)
        self.last: Fraction | None = None
        self.behind = self.jumped = False  # the latest jumped back; with it, all that follow were moved

    def next(self, time: Fraction, step: Fraction) -> Fraction:
        """Seconds of the next.

        Args:
            time: what the file says, in seconds.
            step: seconds that one lasts.
        """
        time += self.shift
        last, self.jumped = self.last, False
        far = last is not None and last - time > JUMP
        if last is not None and (time < last or (time == last and self.least)):
            moved = last + max(self.least, step if far else Fraction(0))
            self.jumped = self.behind and far
            self.shift += moved - time if self.jumped else 0
            time = moved
        self.behind = far and not self.jumped
        self.last = time
        return time


class Times:
    """Turns the time stamps of frames into seconds that always increase.

    Containers round time stamps to their tick, Matroska for instance to a millisecond. A time within a tick of the
    constant rate's is taken for that, so that a video keeps its exact rate in a container of finer ticks; unless ticks
    are so coarse that everything is near. A first picture that is late moves all times of the rate.

    Args:
        start: seconds that count as 0.
        tick: seconds that the time stamps count in.
        fps: frames per second.
    """

    def __init__(self, start: Fraction, tick: Fraction, fps: Fraction) -> None:
        self.start, self.tick, self.fps = start, tick, fps
        self.onward = Onward(max(tick, LEAST))
        self.late: Fraction | None = None  # seconds that the first one is behind a time of the rate

    def next(self, stamp: int | None) -> Fraction:
        """Seconds of the next frame; one without a time stamp follows the frame before at the constant rate."""
        if stamp is None:
            last = self.onward.last
            return self.onward.next(
                Fraction(0) if last is None else last + 1 / self.fps - self.onward.shift, 1 / self.fps
            )
        time = stamp * self.tick - self.start
        if self.late is None:
            late = time - round(time * self.fps) / self.fps
            self.late = late if abs(late) > self.tick else Fraction(0)
        even = round((time - self.late) * self.fps) / self.fps + self.late
        if abs(even - time) <= self.tick < 1 / (4 * self.fps):
            time = even
        return self.onward.next(time, 1 / self.fps)
