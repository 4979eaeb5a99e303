"""Projects drops to streaks and lays them over video.

A drop of diameter D at depth z is a disc of D f / z pixels that moves by v exposure f / z while the shutter is open.
What it hides adds up to its own area whatever the exposure, so longer exposures give longer and fainter streaks.
Overlapping streaks compose as 1 - exp(-sum). A defocused drop spreads the same area over its circle of confusion.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from raincheck.rain.drops import Drops, Floats, Seed
from raincheck.rain.parameters import Rain
from raincheck.video.pixels import to_float, to_uint8

CHUNK = 60_000  # drops projected at once: bounds the memory of large frames


@dataclass(frozen=True)
class Streaks:
    """Streaks in the image plane, one entry each.

    Attributes:
        frame: which frame of the batch it belongs to.
        x, y: its middle, pixels from the left and top border.
        dx, dy: motion of the drop while the shutter is open, pixels.
        area: what the drop hides, pixels^2: pi / 4 of its squared image diameter.
        width: across the streak, pixels, with defocus.
    """

    frame: NDArray[np.int64]
    x: Floats
    y: Floats
    dx: Floats
    dy: Floats
    area: Floats
    width: Floats


def project(drops: Drops, indices: NDArray[np.int64]) -> Streaks:
    """The streaks of all drops in frames `indices`, those outside the view left out."""
    rain, (height, width) = drops.rain, drops.region.size
    scale = rain.focal_length / drops.depth  # pixels per metre
    disc = drops.diameter / 1000 * scale
    confusion = rain.aperture * rain.focal_length * np.abs(1 / drops.depth - 1 / rain.focus)
    across = np.hypot(disc, confusion)
    down = drops.fall * rain.exposure * scale
    parts = []
    for frame, index in enumerate(indices):
        time = float(index) / rain.frame_rate
        x, y = drops.at(time)
        x, y = x * scale + (width - 1) / 2, y * scale + (height - 1) / 2
        right = (drops.drift + drops.gust(time)[0]) * rain.exposure * scale
        reach_x, reach_y = (np.abs(right) + across) / 2 + 1, (down + across) / 2 + 1
        seen = np.flatnonzero((x > -reach_x) & (x < width - 1 + reach_x) & (y > -reach_y) & (y < height - 1 + reach_y))
        parts.append((np.full(len(seen), frame), x[seen], y[seen], right[seen], down[seen], seen))
    frames, x, y, dx, dy, seen = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Streaks(frames, x, y, dx, dy, np.pi / 4 * disc[seen] ** 2, across[seen])


def lines(streaks: Streaks) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """Splits wide streaks into parallel lines, one a pixel.

    Returns:
        For each line: its streak, its offset across in pixels, the disc's chord there in pixels, its share of the area.
    """
    count = np.maximum(np.ceil(streaks.width), 1).astype(np.int64)
    owner = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    # Middles of equal strips of a unit disc, -1 to 1; the chord there says how long the strip hides a pixel.
    strip = (2 * place + 1) / count[owner] - 1
    chord = np.sqrt(1 - strip**2)
    share = chord / np.bincount(owner, chord, len(count))[owner]
    return owner, strip * streaks.width[owner] / 2, chord * streaks.width[owner], share


def splat(streaks: Streaks, frames: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Optical depth `(frames, h, w)` of streaks: points along each line, at most a pixel apart, with bilinear weights.

    The sum over pixels is the sum of the streaks' areas, as far as they lie inside the frame.
    """
    height, width = size
    owner, offset, chord, share = lines(streaks)
    dx, dy = streaks.dx[owner], streaks.dy[owner]
    length = np.hypot(dx, dy)
    still = length == 0
    ux, uy = (
        np.where(still, 0.0, dx / np.where(still, 1, length)),
        np.where(still, 1.0, dy / np.where(still, 1, length)),
    )
    long = length + chord
    points = np.ceil(long).astype(np.int64) + 1
    line = np.repeat(np.arange(len(points)), points)
    step = np.arange(len(line)) - np.repeat(np.cumsum(points) - points, points)
    along = ((step + 0.5) / points[line] - 0.5) * long[line]
    # One pixel of margin takes the weights that fall outside; it is cut off at the end.
    x = np.clip((streaks.x[owner] - uy * offset)[line] + ux[line] * along, -1, width) + 1
    y = np.clip((streaks.y[owner] + ux * offset)[line] + uy[line] * along, -1, height) + 1
    weight = (share * streaks.area[owner] / points)[line]
    left, top = x.astype(np.int64), y.astype(np.int64)
    fx, fy = x - left, y - top
    stride = width + 3
    flat = (streaks.frame[owner][line] * (height + 3) + top) * stride + left
    right, below = weight * fx, weight * fy
    both = right * fy
    cells = frames * (height + 3) * stride
    depth = np.zeros(cells)
    for shift, part in (
        (0, weight - right - below + both),
        (1, right - both),
        (stride, below - both),
        (stride + 1, both),
    ):
        depth += np.bincount(flat + shift, part, cells)
    padded = depth.reshape(frames, height + 3, stride).astype(np.float32)
    return padded[:, 1 : height + 1, 1 : width + 1]


class RainField:
    """Rain in front of a camera: frame `index` is a function of (rain, size, seed, index) alone.

    Args:
        rain: physical parameters.
        size: height and width of the frames, pixels.
        seed: decides every drop.
    """

    def __init__(self, rain: Rain, size: tuple[int, int], seed: Seed) -> None:
        self.rain, self.size = rain, size
        self.drops = Drops(rain, size, seed)

    def frame(self, index: int) -> NDArray[np.float32]:
        """The share of each pixel that drops hide in frame `index`, `(h, w)` in [0, 1)."""
        hidden: NDArray[np.float32] = self.frames(index, 1)[0]
        return hidden

    def frames(self, start: int, count: int) -> NDArray[np.float32]:
        """The same for `count` frames from `start`: `(t, h, w)` in [0, 1)."""
        group = max(1, CHUNK // max(1, len(self.drops)))
        parts = [np.arange(i, min(i + group, start + count)) for i in range(start, start + count, group)]
        depth = [splat(project(self.drops, part), len(part), self.size) for part in parts]
        hidden: NDArray[np.float32] = -np.expm1(-np.concatenate(depth))
        return hidden


@dataclass(frozen=True)
class Rendered:
    """A rainy clip and what it was made of; `rainy` is `to_uint8(compose(clean, ...))` of the rest, exactly.

    Attributes:
        rainy: uint8 `(t, c, h, w)`.
        streaks: share of each pixel that drops hide, float32 `(t, 1, h, w)` in [0, 1).
        transmission: of the veil, (0, 1].
        light: radiance of the drops, float32 `(t, c, 1, 1)`, 0 or more, in units of white.
        airlight: brightness of the veil, [0, 1].
    """

    rainy: Tensor
    streaks: Tensor
    transmission: float
    light: Tensor
    airlight: float


def compose(
    clean: Tensor, streaks: Tensor, transmission: Tensor | float, light: Tensor | float, airlight: float
) -> Tensor:
    """Lays a veil over a clean clip, and streaks over both.

    Args:
        clean: float32 `(t, c, h, w)` in [0, 1].
        streaks: float32 `(t, 1, h, w)` in [0, 1].
        transmission: share of the scene's light that passes the veil, broadcast to `(t, c, h, w)`.
        light: radiance of the drops, broadcast likewise.
        airlight: brightness of the veil, [0, 1].

    Returns:
        `(clean * transmission + airlight * (1 - transmission)) * (1 - streaks) + light * streaks`, not clamped.
    """
    veiled = clean * transmission + airlight * (1 - transmission)
    return veiled + (light - veiled) * streaks


def lay(clean: Tensor, field: RainField, start: int = 0) -> Rendered:
    """Lays frames `start`, `start + 1`, ... of a rain over a clean clip.

    Args:
        clean: uint8 `(t, c, h, w)` of the field's size.
        field: the rain.
        start: frame of the rain that meets the clip's first frame.
    """
    rain, scene = field.rain, to_float(clean)
    streaks = torch.from_numpy(field.frames(start, len(clean)))[:, None]
    # Per frame, so that reading a video in other windows gives the same pixels; summed in integers, because the
    # rounding of a float sum depends on the number of threads.
    mean = clean.sum(dim=(-2, -1), keepdim=True).to(torch.float32) / (255 * clean.shape[-2] * clean.shape[-1])
    light = rain.sky_share * rain.light + (1 - rain.sky_share) * mean
    rainy = to_uint8(compose(scene, streaks, rain.transmission, light, rain.airlight))
    return Rendered(rainy, streaks, rain.transmission, light, rain.airlight)


def render(clean: Tensor, rain: Rain, seed: Seed, start: int = 0) -> Rendered:
    """Lays rain over a clean clip, uint8 `(t, c, h, w)`; the same (rain, seed, start) gives the same streaks."""
    return lay(clean, RainField(rain, (clean.shape[-2], clean.shape[-1]), seed), start)
