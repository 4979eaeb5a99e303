"""When the frames of a video file are shown."""

from fractions import Fraction

from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream


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


class Times:
    """Turns the time stamps of frames into seconds that always increase.

    Containers round time stamps to their tick, Matroska for instance to a millisecond. A time within a tick of the
    constant rate's is taken for that, so that a video keeps its exact rate in a container of finer ticks; unless ticks
    are so coarse that everything is near.

    Args:
        start: seconds that count as 0.
        tick: seconds that the time stamps count in.
        fps: frames per second.
    """

    def __init__(self, start: Fraction, tick: Fraction, fps: Fraction) -> None:
        self.start, self.tick, self.fps = start, tick, fps
        self.last: Fraction | None = None

    def next(self, stamp: int | None) -> Fraction:
        """Seconds of the next frame; one without a time stamp follows the frame before at the constant rate."""
        following = Fraction(0) if self.last is None else self.last + 1 / self.fps
        time = following if stamp is None else stamp * self.tick - self.start
        even = round(time * self.fps) / self.fps
        if abs(even - time) <= self.tick < 1 / (4 * self.fps):
            time = even
        if self.last is not None and time <= self.last:
            time = self.last + self.tick
        self.last = time
        return time
