"""Draws streaks: what each hides is spread over the pixels along its way.

A streak as wide as its drop is drawn as parallel lines, a line as points, a point over the four pixels around it.
"""

import numpy as np
from numpy.typing import NDArray

from raincheck.rain.laws import Floats
from raincheck.rain.streaks import Streaks


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


def splat(
    streaks: Streaks, frames: int, size: tuple[int, int], scene: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Optical depth `(frames, h, w)` of streaks: points along each line, at most a pixel apart, with bilinear weights.

    The sum over pixels is the sum of the streaks' areas, as far as they lie inside the frame and before the scene.

    Args:
        streaks: what to draw.
        frames: how many frames their `frame` counts.
        size: height and width, pixels.
        scene: distance of what hides the drops behind it, m, float32 `(frames, h, w)`; None hides none.
    """
    height, width = size
    owner, offset, chord, share = lines(streaks)
    ux, uy, length = heading(streaks.dx[owner], streaks.dy[owner])
    middle = np.stack([streaks.x[owner] - uy * offset, streaks.y[owner] + ux * offset])
    long = length + chord
    points = np.ceil(long).astype(np.int64) + 1  # of each line
    first, count = visible(middle, np.stack([ux, uy]), (width, height), long, points)
    along = positions(long, points, first, count)
    x, y = coordinate(middle[0], ux, along, count, width), coordinate(middle[1], uy, along, count, height)
    weight = np.repeat(share * streaks.area[owner] / points, count)
    frame = np.repeat(streaks.frame[owner], count)
    if scene is not None and streaks.depth is not None:
        column, row = np.clip(np.rint(x) - 1, 0, width - 1), np.clip(np.rint(y) - 1, 0, height - 1)
        before = scene[frame, row.astype(np.int64), column.astype(np.int64)]
        weight *= np.repeat(streaks.depth[owner], count) < before
    return accumulate(frame, x, y, weight, (frames, height, width))


def heading(dx: Floats, dy: Floats) -> tuple[Floats, Floats, Floats]:
    """Unit vectors of motions, x and y, and the motions' lengths; what does not move points down."""
    length = np.hypot(dx, dy)
    moves = length > 0
    ux = np.divide(dx, length, out=np.zeros_like(dx), where=moves)
    uy = np.divide(dy, length, out=np.ones_like(dy), where=moves)
    return ux, uy, length


def visible(
    middle: Floats, direction: Floats, size: tuple[int, int], long: Floats, points: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first of each line's points that may be in the frame, and how many are from there on.

    Args:
        middle: of each line, pixels, x and y `(2, n)`.
        direction: of each line, likewise.
        size: width and height of the frame, pixels.
        long: length of each line, pixels.
        points: how many there are.
    """
    borders = np.stack([-1 - middle, np.array(size)[:, None] - middle])
    ends = borders / np.where(direction == 0, 1e-99, direction)
    inside = np.stack([ends.min(axis=0).max(axis=0), ends.max(axis=0).min(axis=0)])  # from, to, along each line
    # A point more at either end, whatever was rounded: what is outside is cut off in any case.
    start, stop = np.clip((inside / long + 0.5) * points + [[-1], [2]], 0, points).astype(np.int64)
    return start, np.maximum(stop - start, 0)


def positions(long: Floats, points: NDArray[np.int64], first: NDArray[np.int64], count: NDArray[np.int64]) -> Floats:
    """Places of `count` points along lines from the `first` of `points`, evenly over a line's length `long`.

    They are counted from each line's middle.
    """
    along = np.arange(count.sum()).astype(np.float64)
    along += 0.5 - np.repeat(np.cumsum(count) - count - first, count)
    along /= np.repeat(points, count)
    along -= 0.5
    along *= np.repeat(long, count)
    return along


def coordinate(middle: Floats, direction: Floats, along: Floats, count: NDArray[np.int64], most: int) -> Floats:
    """One coordinate of `count` points of lines, counted from a margin of a pixel around the frame's `most` pixels."""
    place = np.repeat(direction, count)
    place *= along
    place += np.repeat(middle, count)
    np.clip(place, -1, most, out=place)
    place += 1
    return place


def accumulate(
    frame: NDArray[np.int64], x: Floats, y: Floats, weight: Floats, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Sums of the points' weights, each divided among the four pixels around its point: `shape`, `(t, h, w)`.

    Args:
        frame: of each point.
        x: of each point, counted as by `coordinate`; used up.
        y: likewise.
        weight: of each point.
        shape: frames, height and width.
    """
    frames, height, width = shape
    # One pixel of margin takes the weights that fall outside; it is cut off at the end.
    stride, cells = width + 3, frames * (height + 3) * (width + 3)
    left, top = x.astype(np.int64), y.astype(np.int64)
    x -= left
    y -= top
    flat = frame * (height + 3) + top
    flat *= stride
    flat += left
    right, below = weight * x, weight * y
    both = right * y
    corners = {0: weight - right - below + both, 1: right - both, stride: below - both, stride + 1: both}
    depth = np.zeros(cells)
    for shift, part in corners.items():
        depth[shift:] += np.bincount(flat, part, cells)[: cells - shift]
    padded = depth.reshape(frames, height + 3, stride).astype(np.float32)
    return padded[:, 1 : height + 1, 1 : width + 1]
