"""What a video file says about its frames."""

from dataclasses import dataclass
from fractions import Fraction

from raincheck.video.colour import Colour
from raincheck.video.display import Matrix


@dataclass(frozen=True)
class Look:
    """What a video file says about its frames.

    Attributes:
        fps: average frames per second.
        size: height and width in pixels.
        display: the display matrix; empty where frames are shown as they are.
        colour: how RGB frames are stored and tagged; None is usual for the size.
        aspect: width of a pixel divided by its height; None says nothing.
        tick: seconds of which the times of frames are multiples; None where they follow from the rate.
    """

    fps: Fraction
    size: tuple[int, int]
    display: Matrix = ()
    colour: Colour | None = None
    aspect: Fraction | None = None
    tick: Fraction | None = None
