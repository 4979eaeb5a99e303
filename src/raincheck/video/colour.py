"""What the numbers of a picture mean as colours: matrix, primaries, transfer and range.

Codes are those of ISO/IEC 23091-2 (ITU-T H.273).
"""

from dataclasses import dataclass

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation

BT709, BT601 = 1, 6
HD_LINES = 720  # from here on players take untagged video for BT.709, below for BT.601
# Matrices that FFmpeg's converter knows, by their codes.
MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}

UNSAID = {0, 2, 3}  # RGB's own, unspecified, reserved
PQ, HLG = 16, 18  # transfers of HDR
WIDE = {9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}  # primaries that reach farther than those of all else

# FFmpeg's usual conversion to RGB truncates: pictures come out 1.0 to 1.5 grey levels too dark (measured).
EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
# To and from 16 bits. There, FULL_CHR_H_INT gives wrong colours for chroma at half resolution (seen with FFmpeg 8);
# without it the picture is up to a 255th off, but comes back bit for bit.
DEEP = Interpolation.BILINEAR | Interpolation.ACCURATE_RND


@dataclass(frozen=True)
class Colour:
    """How RGB frames are to be stored and tagged.

    Attributes:
        matrix: from RGB to YCbCr.
        primaries: the chromaticities of red, green and blue.
        transfer: from light to numbers.
        full: whether 8-bit values span 0 to 255 instead of 16 to 235.
    """

    matrix: int
    primaries: int
    transfer: int
    full: bool = False

    @property
    def converter(self) -> Colorspace:
        """The matrix as FFmpeg's converter calls it; BT.709 for one that it does not know, both ways."""
        return MATRICES.get(self.matrix, Colorspace.ITU709)

    @property
    def foreign(self) -> bool:
        """Whether RGB of these colours is wrong, because FFmpeg's converter does not know their matrix."""
        return self.matrix not in MATRICES

    @property
    def beyond(self) -> str | None:
        """What images and raw frames, which say nothing of their colours, would have to say; None if all is usual."""
        return {PQ: "HDR (PQ)", HLG: "HDR (HLG)"}.get(self.transfer, WIDE.get(self.primaries))

    @property
    def range(self) -> ColorRange:
        """The range as FFmpeg calls it."""
        return ColorRange.JPEG if self.full else ColorRange.MPEG


def matrix_of(size: tuple[int, int]) -> int:
    """The matrix that players assume of untagged video of that height and width."""
    return BT709 if min(size) >= HD_LINES else BT601


def colour_of_size(size: tuple[int, int]) -> Colour:
    """The colours of frames that never were video."""
    matrix = matrix_of(size)
    return Colour(matrix, matrix, matrix)


def colour_of_frame(frame: VideoFrame) -> Colour:
    """The colours of a decoded frame; a matrix that is missing is the one that players assume."""
    stated = int(frame.colorspace)
    matrix = matrix_of((frame.height, frame.width)) if stated in UNSAID else stated
    full = not frame.format.is_rgb and (frame.format.name.startswith("yuvj") or frame.color_range == ColorRange.JPEG)
    return Colour(matrix, int(frame.color_primaries), int(frame.color_trc), full)
