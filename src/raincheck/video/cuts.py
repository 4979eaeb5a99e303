"""Where one shot ends and the next begins.

Histograms miss cuts between two views of one place, and differences of pixels take fast cameras for cuts. Here two
frames are one shot if one resembles the other, in its large shapes and in its details, after the best shift. Measured
on 18 clips, rain, fast cameras and jerky hands among them: frames of one shot come to 0.35 or more, the five cuts of a
street scene to 0.13 or less, and of 1300 pairs from different clips all but one below 0.35.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

SIZE = 36, 64  # rows and columns that frames are shrunk to: streaks vanish, and a large shift is some pixels
ALIKE = 0.33  # mean correlation of large shapes and details in one shot
DETAIL = 9  # rows and columns over which the mean is taken off what is called detail
CHANGE = (
    6.0  # grey levels of change below which nothing is a cut: noise of dark or foggy frames correlates with nothing
)
FEWEST = 1024  # pixels of a frame: in smaller ones, chance looks like likeness
FARTHEST = 3  # a shift is at most this part of the frame


class CutDetector:
    """Tells the first frame of a shot by the frames before it.

    A cut breaks something off: where no two frames in a row were alike, as in noise, there is nothing to break off. So
    a shot has two frames at least.
    """

    def __init__(self) -> None:
        self.before: Tensor | None = None
        self.steady = False  # whether the last two frames were alike
        high, wide = (torch.hann_window(length, periodic=False) for length in SIZE)
        self.window = high[:, None] * wide[None]

    def begins_shot(self, pixels: Tensor) -> bool:
        """Whether a frame, uint8 `(c, h, w)`, belongs to another shot than the one before; the first does not."""
        if pixels[0].numel() < FEWEST:
            return False
        before, self.before = self.before, shrunk(pixels)
        if before is None:
            return False
        was_steady, self.steady = self.steady, self.alike(before, self.before)
        return was_steady and not self.steady

    def alike(self, a: Tensor, b: Tensor) -> bool:
        """Whether two shrunk frames may be of one shot."""
        # Most frames of a shot are alike without a shift.
        if F.avg_pool2d(a - b, 4).abs().mean() < CHANGE or likeness(a, b) >= ALIKE:
            return True
        return likeness(a, b, self.shift(a, b)) >= ALIKE

    def shift(self, a: Tensor, b: Tensor) -> tuple[int, int]:
        """Rows and columns by which `a` is shifted against `b`: the peak of their phase correlation.

        Kuglin and Hines, "The phase correlation image alignment method", 1975.
        """
        spectra = [torch.fft.rfft2((grey - grey.mean()) * self.window) for grey in (a.mean(0), b.mean(0))]
        cross = spectra[0] * spectra[1].conj()
        peak = int(torch.fft.irfft2(cross / (cross.abs() + 1e-3), s=SIZE).argmax())
        high, wide = SIZE
        rows, columns = (peak // wide + high // 2) % high - high // 2, (peak % wide + wide // 2) % wide - wide // 2
        return (rows, columns) if abs(rows) <= high // FARTHEST and abs(columns) <= wide // FARTHEST else (0, 0)


def shrunk(pixels: Tensor) -> Tensor:
    """A frame as float32 `(c, 36, 64)` in grey levels; of large frames not every pixel is read."""
    step = max(1, min(pixels.shape[1] // (4 * SIZE[0]), pixels.shape[2] // (4 * SIZE[1])))
    return F.adaptive_avg_pool2d(pixels[None, :, ::step, ::step].float(), SIZE)[0]


def aligned(a: Tensor, b: Tensor, shift: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """What the two have in common when `a` is shifted by that many rows and columns against `b`."""
    for axis, by in ((1, shift[0]), (2, shift[1])):
        length = a.shape[axis] - abs(by)
        a, b = a.narrow(axis, max(by, 0), length), b.narrow(axis, max(-by, 0), length)
    return a, b


def likeness(a: Tensor, b: Tensor, shift: tuple[int, int] = (0, 0)) -> float:
    """Mean of the correlations of two shrunk frames and of their details, where they overlap when shifted."""
    return (correlation(*aligned(a, b, shift)) + correlation(*aligned(detail(a), detail(b), shift))) / 2


def detail(frame: Tensor) -> Tensor:
    """What a shrunk frame differs from its surroundings by."""
    return frame - F.avg_pool2d(frame, DETAIL, 1, DETAIL // 2, count_include_pad=False)


def correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's correlation over all pixels and channels; 0 where one is flat."""
    a, b = a.flatten() - a.mean(), b.flatten() - b.mean()
    return float(a @ b / (a.norm() * b.norm() + 1e-3))
