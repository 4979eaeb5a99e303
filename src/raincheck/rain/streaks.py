"""Projects drops to streaks, which splatting.py draws.

A drop of diameter D at depth z is a disc of D f / z pixels that moves by v exposure f / z while the shutter is open.
What it hides adds up to its own area whatever the exposure, so longer exposures give longer and fainter streaks.
A defocused drop spreads the same area over its circle of confusion.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raincheck.rain.drops import Drops
from raincheck.rain.laws import Floats


@dataclass(frozen=True)
class Streaks:
    """Streaks in the image plane, one entry each.

    Attributes:
        frame: which frame of the batch it belongs to.
        x, y: its middle, pixels from the left and top border.
        dx, dy: motion of the drop while the shutter is open, pixels.
        area: what the drop hides, pixels^2: pi / 4 of its squared image diameter.
        width: across the streak, pixels, with defocus.
        depth: m; None is before all that could hide a drop.
    """

    frame: NDArray[np.int64]
    x: Floats
    y: Floats
    dx: Floats
    dy: Floats
    area: Floats
    width: Floats
    depth: Floats | None = None


def project(drops: Drops, indices: NDArray[np.int64]) -> Streaks:
    """The streaks of all drops in frames `indices`, those outside the view left out."""
    rain, (height, width) = drops.rain, drops.region.size
    time = indices[:, None] / rain.frame_rate  # all frames at once: with few drops, calls are what costs
    x, y, depth = drops.at(time)
    scale = rain.focal_length / depth  # pixels per metre
    disc = drops.diameter / 1000 * scale
    confusion = rain.aperture * rain.focal_length * np.abs(1 / depth - 1 / rain.focus)
    across = np.hypot(disc, confusion)
    x, y = x * scale, y * scale
    # While the shutter is open; a drop that comes nearer moves away from the middle, here to first order.
    nearing = rain.forward * rain.exposure / depth
    right = drops.sideways(time, depth) * rain.exposure * scale + x * nearing
    down = drops.fall * rain.exposure * scale + y * nearing
    x, y = x + (width - 1) / 2, y + (height - 1) / 2
    reach_x, reach_y = (np.abs(right) + across) / 2 + 1, (np.abs(down) + across) / 2 + 1
    seen = (x > -reach_x) & (x < width - 1 + reach_x) & (y > -reach_y) & (y < height - 1 + reach_y)
    which, drop = np.nonzero(seen)
    every = (x, y, right, down, disc, across, depth)  # some are the same in all frames
    x, y, dx, dy, disc, across, depth = (values[which, drop] if values.ndim == 2 else values[drop] for values in every)
    return Streaks(which, x, y, dx, dy, np.pi / 4 * disc**2, across, depth)
