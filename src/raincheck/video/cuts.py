"""Where one shot ends and the next begins.

Histograms miss cuts between two views of one place, and differences of pixels take fast cameras for cuts. Here two
frames are one shot if one resembles the other, in its large shapes and in its details, after the best shift. Measured
on 18 clips, rain, fast cameras and jerky hands among them: frames of one shot come to 0.35 or more, the five cuts of a
street scene to 0.13 or less, and of 1300 pairs from different clips all but one below 0.35.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from raincheck.video.pixels import PEAKS

Item = TypeVar("Item")

SIZE = 36, 64  # rows and columns that frames are shrunk to: streaks vanish, and a large shift is some pixels
ALIKE = 0.33  # mean correlation of large shapes and details in one shot
DETAIL = 9  # rows and columns over which the mean is taken off what is called detail
# Grey levels of change below which nothing is a cut: noise of dark or foggy frames correlates with nothing.
CHANGE = 6.0
FEWEST = 1024  # pixels of a frame: in smaller ones, chance looks like likeness
FARTHEST = 3  # a shift is at most this part of the frame
CONTEXT = 1  # frames before and behind some others that decide whether there are cuts between those


def shots(items: Iterable[Item], pixels: Callable[[Item], Tensor]) -> Iterator[tuple[Item, int]]:
    """Yields items with the numbers of their shots.

    A cut breaks something off: two frames that are not alike are a cut if the two before them or the two behind them
    are alike. So one frame can be a shot, and where no two frames in a row are alike, as in noise, there is none. Only
    where the two before are not alike either is an item held back until the next one is known.

    Args:
        items: in order.
        pixels: an item's frame, uint8 or uint16 `(c, h, w)`.
    """
    shot = 0
    before: Tensor | None = None
    steady = False  # whether the two latest frames were alike
    held: list[Item] = []  # the latest item, if it depends on the next whether it begins a shot
    for item in items:
        frame = pixels(item)
        now = shrunk(frame)
        same = before is not None and (frame[0].numel() < FEWEST or alike(before, now))
        cut = before is not None and not same
        for waiting in held:
            shot += same
            yield waiting, shot
        held = [item] if cut and not steady else []
        if not held:
            shot += cut
            yield item, shot
        before, steady = now, same
    for waiting in held:
        yield waiting, shot


def alike(a: Tensor, b: Tensor) -> bool:
    """Whether two shrunk frames may be of one shot."""
    # Most frames of a shot are alike without a shift.
    if F.avg_pool2d(a - b, 4).abs().mean() < CHANGE or likeness(a, b) >= ALIKE:
        return True
    return likeness(a, b, shift_between(a, b)) >= ALIKE


def shift_between(a: Tensor, b: Tensor) -> tuple[int, int]:
    """Rows and columns by which `a` is shifted against `b`: the peak of their phase correlation.

    Kuglin and Hines, "The phase correlation image alignment method", 1975.
    """
    high, wide = SIZE
    window = torch.hann_window(high, periodic=False)[:, None] * torch.hann_window(wide, periodic=False)
    spectra = [torch.fft.rfft2((grey - grey.mean()) * window) for grey in (a.mean(0), b.mean(0))]
    cross = spectra[0] * spectra[1].conj()
    peak = int(torch.fft.irfft2(cross / (cross.abs() + 1e-3), s=SIZE).argmax())
    rows, columns = (peak // wide + high // 2) % high - high // 2, (peak % wide + wide // 2) % wide - wide // 2
    return (rows, columns) if abs(rows) <= high // FARTHEST and abs(columns) <= wide // FARTHEST else (0, 0)


def shrunk(pixels: Tensor) -> Tensor:
    """A frame as float32 `(c, 36, 64)` in grey levels of 255; of large frames not every pixel is read."""
    step = max(1, min(pixels.shape[1] // (4 * SIZE[0]), pixels.shape[2] // (4 * SIZE[1])))
    small = F.adaptive_avg_pool2d(pixels[None, :, ::step, ::step].float(), SIZE)[0]
    return small * (255 / PEAKS[pixels.dtype])


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
