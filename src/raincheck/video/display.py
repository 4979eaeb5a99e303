"""How a video file wants its frames shown: turned, mirrored, or both, and what else it says of that."""

import math
from array import array
from typing import Any

import torch
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from torch import Tensor

# Nine numbers in the layout of FFmpeg's AV_PKT_DATA_DISPLAYMATRIX; none where there is nothing to say.
Matrix = tuple[int, ...]
# What no file of ours says again.
ASIDES = {
    Type.MASTERING_DISPLAY_METADATA: "mastering display",
    Type.CONTENT_LIGHT_LEVEL: "content light level",
    Type.DYNAMIC_HDR_PLUS: "HDR10+ metadata",
    Type.DOVI_METADATA: "Dolby Vision metadata",
    Type.SPHERICAL: "spherical projection",
    Type.STEREO3D: "3D layout",
    Type.A53_CC: "closed captions",
}


def asides_of(frame: VideoFrame) -> list[str]:
    """What stands beside a frame and no file of ours says again, in words."""
    data = side_data(frame)
    return [words for kind, words in ASIDES.items() if data.get(kind) is not None]


def side_data(frame: VideoFrame) -> Any:  # a mapping in the stubs, whose keys are another type than they take
    """What FFmpeg tells beside a frame; nothing where it tells what PyAV has no name for, such as EXIF tags."""
    try:
        return frame.side_data
    except ValueError:
        return {}


def display_of(frame: VideoFrame) -> Matrix:
    """A frame's display matrix without its translation, which players ignore; empty if it is shown as it is stored."""
    if (found := side_data(frame).get(Type.DISPLAYMATRIX)) is None:
        return turning(frame.rotation)
    a, b, u, c, d, v, _, _, w = array("i", bytes(found))
    return () if b == c == 0 and a == d > 0 else (a, b, u, c, d, v, 0, 0, w)


def turning(degrees: int) -> Matrix:
    """The matrix that turns counter-clockwise; empty for 0."""
    a, b = (round(2**16 * f(math.radians(degrees))) for f in (math.cos, math.sin))
    return (a, -b, 0, b, a, 0, 0, 0, 2**30) if degrees else ()


def turned(matrix: Matrix) -> int:
    """Counter-clockwise degrees, before frames are swapped left and right if they are mirrored."""
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
    return f"{turn} and mirrored" if turned(matrix) else "mirrored"


def upright_size(size: tuple[int, int], matrix: Matrix) -> tuple[int, int]:
    """Height and width, pixels, of what `upright` makes of frames of a height and width."""
    return size[::-1] if round(turned(matrix) / 90) % 2 else size


def upright(frames: Tensor, matrix: Matrix) -> Tensor:
    """Frames `(..., h, w)` as a matrix wants them shown, by quarter turns."""
    shown = torch.rot90(frames, round(turned(matrix) / 90), (-2, -1))
    return (shown.flip(-1) if mirrored(matrix) else shown).contiguous()
