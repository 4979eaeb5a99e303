"""Drawing of streaks: what they hide is conserved, wherever they lie and whichever way they go."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest

from raincheck.rain.splatting import splat
from raincheck.rain.streaks import Streaks

NAMES = [field.name for field in fields(Streaks)]


def test_splatting_conserves_what_drops_hide() -> None:
    rng = np.random.default_rng(0)
    count = 300
    streaks = Streaks(
        frame=rng.integers(0, 2, count),
        x=rng.uniform(40, 60, count),
        y=rng.uniform(40, 60, count),
        dx=rng.uniform(-10, 10, count) * (np.arange(count) > 10),
        dy=rng.uniform(0, 30, count) * (np.arange(count) > 10),
        area=rng.uniform(0, 4, count),
        width=rng.uniform(0.01, 9, count),
        depth=np.ones(count),
    )
    depth = splat(streaks, 2, (100, 100))
    wanted = np.bincount(streaks.frame, streaks.area)
    assert depth.sum((1, 2), dtype=np.float64) == pytest.approx(wanted, rel=1e-5)
    rows, columns = np.indices((100, 100))
    one = replace(streaks, **{name: getattr(streaks, name)[20:21] for name in NAMES})
    image = splat(replace(one, frame=np.zeros(1, np.int64)), 1, (100, 100))[0]
    centre = np.average(rows, weights=image), np.average(columns, weights=image)
    assert centre == pytest.approx((one.y[0], one.x[0]), abs=1e-3)


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 150])
def test_a_wide_streak_is_as_wide_as_its_drop_whichever_way_it_goes(degrees: float) -> None:
    """The variance across of a disc W wide is W^2 / 16."""
    (ux, uy), one = (math.sin(math.radians(degrees)), math.cos(math.radians(degrees))), np.ones(1)
    streak = Streaks(np.zeros(1, np.int64), 50 * one, 50 * one, 40 * ux * one, 40 * uy * one, one, 16 * one)
    image = splat(streak, 1, (101, 101))[0]
    rows, columns = np.indices(image.shape) - 50.0
    assert np.average((columns * uy - rows * ux) ** 2, weights=image) == pytest.approx(16**2 / 16, rel=0.05)


@pytest.mark.parametrize("motion", [(1, 1), (1, 0), (0, 1), (0, 0)], ids=["aslant", "lying", "upright", "at rest"])
def test_a_frame_shows_its_part_of_a_larger_one(motion: tuple[int, int]) -> None:
    """Streaks as long as three frames, many of which end outside, begin on a border or pass by."""
    rng = np.random.default_rng(1)
    x, y = rng.integers(-60, 81, (2, 400)).astype(np.float64)
    dx, dy = rng.uniform(-60, 60, (2, 400)) * np.array(motion)[:, None]
    frame, area, width = rng.integers(0, 2, 400), rng.uniform(0.5, 4, 400), rng.uniform(0.1, 7, 400)
    small = splat(Streaks(frame, x, y, dx, dy, area, width), 2, (20, 24))
    large = splat(Streaks(frame, x + 150, y + 150, dx, dy, area, width), 2, (320, 324))
    assert small == pytest.approx(large[:, 150:170, 150:174], abs=1e-5) and small.max() > 0.1
    assert large.sum(dtype=np.float64) == pytest.approx(area.sum(), rel=1e-5)


def test_a_sharp_wide_drop_at_rest_is_a_disc() -> None:
    """An open shutter before a drop that does not move: it hides its disc, wholly, and nothing else."""
    one = np.ones(1)
    disc = np.pi / 4 * 900 * one
    streak = Streaks(np.zeros(1, np.int64), 50 * one, 50 * one, 0 * one, 0 * one, disc, 30 * one, one)
    image = splat(streak, 1, (101, 101))[0]
    rows, columns = np.indices(image.shape)
    radius = np.hypot(rows - 50, columns - 50)
    assert image[radius > 17].max() == 0
    assert image[radius < 12] == pytest.approx(1, abs=0.1)
