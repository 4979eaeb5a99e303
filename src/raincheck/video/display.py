"""How a video file wants its frames shown: turned, mirrored, or both."""

import math
from array import array
from typing import Any

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

# Nine numbers in the layout of FFmpeg's AV_PKT_DATA_DISPLAYMATRIX; none where there is nothing to say.
Matrix = tuple[int, ...]


def display_of(frame: VideoFrame) -> Matrix:
    """A frame's display matrix without its translation, which players ignore; empty if it is shown as it is stored."""
    data: Any = frame.side_data  # a mapping in the stubs, whose keys are another type than they take
    if (found := data.get(Type.DISPLAYMATRIX)) is None:
        return ()
    a, b, u, c, d, v, _, _, w = array("i", bytes(found))
    return () if b == c == 0 and a == d > 0 else (a, b, u, c, d, v, 0, 0, w)


def turned(matrix: Matrix) -> int:
    """Counter-clockwise degrees, after frames were swapped left and right if they are mirrored."""
    if not matrix:
        return 0
    a, b = matrix[:2]
    turn = round(-math.degrees(math.atan2(b, -a if mirrored(matrix) else a)))
    return 180 if turn == -180 else turn


def mirrored(matrix: Matrix) -> bool:
    """Whether it swaps left and right, whatever it does besides."""
    return bool(matrix) and matrix[0] * matrix[4] < matrix[1] * matrix[3]


def in_words(matrix: Matrix) -> str:
    """What it does to frames."""
    turn = f"turned by {turned(matrix)} degrees"
    if not mirrored(matrix):
        return turn
    return f"mirrored and {turn}" if turned(matrix) else "mirrored"
