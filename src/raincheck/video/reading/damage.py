"""What FFmpeg passes over or fills in when a video is damaged inside, said once."""

import re
import warnings
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from raincheck.errors import RaincheckWarning

MISSING = Fraction(1, 2)  # seconds: clocks of containers differ by less


class Damage:
    """Watches the frames of a file that is decoded from its beginning; told once, and the frames go on.

    FFmpeg conceals what it can and skips the rest. Many decoders flag what they conceal, but not all: silence proves
    nothing. Of what is skipped, a Matroska or WebM track that is shorter than it says is evidence.

    Args:
        path: the video file.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.told = path, False
        self.end = Fraction(0)  # seconds of the file's clock at which the latest frame ends

    def see(self, frame: VideoFrame, index: int, gap: bool) -> None:
        """Looks at the next frame.

        Args:
            frame: as FFmpeg decoded it.
            index: of the frame.
            gap: whether the container says that something is missing before it.
        """
        if frame.pts is not None and frame.time_base is not None:
            self.end = (frame.pts + (frame.duration or 0)) * frame.time_base
        if (frame.is_corrupt or gap) and index:  # what comes before a first key frame is broken in whole files too
            self.tell(f"is damaged at frame {index}: FFmpeg fills in or leaves out what is missing")

    def ended(self, track: VideoStream) -> None:
        """Compares the end of the last frame with what the track says."""
        stated = stated_end(track)
        if stated is not None and stated - self.end > max(MISSING, 3 / (track.average_rate or Fraction(25))):
            self.tell(f"ends after {float(self.end):.1f} of {float(stated):.1f} s: frames are missing or damaged")

    def tell(self, what: str) -> None:
        """Tells the user, if nothing was told yet."""
        if not self.told:
            self.told = True
            warnings.warn(f"{self.path} {what}; copy or download the file again", RaincheckWarning, stacklevel=4)


def stated_end(track: VideoStream) -> Fraction | None:
    """Seconds at which a Matroska or WebM track ends by its own tag; None where it has none."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", track.metadata.get("DURATION", ""))
    return None if match is None else 3600 * int(match[1]) + 60 * int(match[2]) + Fraction(match[3])
