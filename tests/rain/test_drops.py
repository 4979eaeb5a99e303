"""Drops against geometry: how many are seen, where they are, and how they move."""

from dataclasses import replace

import numpy as np
import pytest

from raincheck.errors import ConfigError
from raincheck.rain.drops import Drops, hashed
from raincheck.rain.laws import LAWS
from raincheck.rain.parameters import Rain
from raincheck.rain.presets import PRESETS
from raincheck.rain.splatting import splat
from raincheck.rain.streaks import project

LAW = LAWS["rain"]


@pytest.mark.parametrize("time", [0.0, 3.7])
@pytest.mark.parametrize(("size", "far"), [((100, 200), 3.0), ((200, 400), 3.0), ((100, 200), 6.0)])
@pytest.mark.parametrize("motion", [{}, {"forward": 8.0}, {"forward": -3.0, "yaw": 20.0}, {"yaw": -30.0, "pan": 2.0}])
def test_number_in_view_follows_the_volume_of_the_frustum(
    size: tuple[int, int], far: float, time: float, motion: dict[str, float]
) -> None:
    """Also after the drops have fallen and wrapped many times, whatever the camera does."""
    rain = replace(Rain(rate=50, near=0.5, far=far, wind=2, gusts=1), **motion)
    drops = Drops(rain, size, 3)
    x, y, depth = drops.at(time)
    scale = rain.focal_length / depth
    seen = int(((np.abs(x * scale) < size[1] / 2) & (np.abs(y * scale) < size[0] / 2)).sum())
    volume = size[0] * size[1] / rain.focal_length**2 * (far**3 - 0.5**3) / 3
    expected = LAW.concentration(50) * volume
    assert abs(seen - expected) < 4 * np.sqrt(expected)


CAMERAS: dict[str, dict[str, float]] = {
    "far drops blurred": {"aperture": 0.02, "focus": 2.0, "exposure": 1 / 1000},
    "near drops blurred": {"aperture": 0.02, "focus": 0.5, "exposure": 1 / 1000},
    "long streaks": {"exposure": 1 / 30},
    "long streaks to the left": {"exposure": 1 / 60, "wind": -6},
    "turning": {"exposure": 1 / 30, "yaw": -90},
    "driving": {"exposure": 1 / 30, "forward": 15},
}


@pytest.mark.parametrize("name", CAMERAS)
def test_drops_hide_as_much_at_the_borders_as_in_the_middle(name: str) -> None:
    """N pi/4 E[D^2] (far - near) of every pixel, whatever the camera does: no streak is missing that reaches in."""
    rain = Rain(**{"rate": 100, "near": 0.9, "far": 1.8, "aperture": 0, **CAMERAS[name]})
    frames = [splat(project(Drops(rain, (40, 40), seed), np.arange(3)), 3, (40, 40)) for seed in range(50)]
    seen = np.concatenate(frames).sum(axis=0)
    diameter = LAW.diameters(100, np.linspace(0, 1, 20_000)) / 1000
    hidden = LAW.concentration(100) * np.pi / 4 * np.square(diameter).mean() * 0.9
    found = [part.mean() / 150 for part in (seen[:3], seen[-3:], seen[:, :3], seen[:, -3:], seen)]
    assert found == pytest.approx([hidden] * 5, rel=0.2)


def test_a_drop_moves_by_its_velocity_until_it_comes_back_at_the_top() -> None:
    drops = Drops(Rain(wind=3), (100, 100), 5)
    (x0, y0, _), (x1, y1, _) = drops.at(2.0), drops.at(2.0 + 1e-3)
    falling = y1 > y0
    assert falling.mean() > 0.8  # in a millisecond few of them wrap
    assert y1[falling] - y0[falling] == pytest.approx(LAW.speed(drops.diameter)[falling] * 1e-3, abs=1e-9)
    kept = falling & (x1 > x0)
    assert x1[kept] - x0[kept] == pytest.approx(drops.drift[kept] * 1e-3, abs=1e-9)


def test_returning_drops_take_new_places() -> None:
    drop = np.arange(5000, dtype=np.uint64)
    first, second = (hashed(9, drop, np.full(5000, wrap, np.uint64)) for wrap in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06
    assert np.histogram(first, 10, (0, 1))[0] == pytest.approx(500, abs=100)
    assert not np.array_equal(first, hashed(10, drop, np.zeros(5000, np.uint64)))


def test_the_number_grows_linearly_with_the_volume() -> None:
    """A straight line through the origin, over frusta of eight volumes: the slope is the concentration."""
    rain = Rain(rate=30, near=0.5, far=4.0, exposure=1e-6, turbulence=0, aperture=0)
    sides = np.array([100, 150, 200, 250, 300, 350, 400, 450])
    counts = np.array([len(Drops(rain, (side, side), 5)) for side in sides])
    region = [Drops(rain, (side, side), 5).region.cumulated(0.5, 4.0)[1][-1] for side in sides]
    slope = (counts * region).sum() / np.square(region).sum()
    assert slope == pytest.approx(LAW.concentration(30), rel=0.03)
    assert (np.abs(counts - slope * np.array(region)) < 4 * np.sqrt(counts)).all()
    frusta = sides**2 / 1000**2 * (4.0**3 - 0.5**3) / 3
    assert (region / frusta)[-1] == pytest.approx(1, abs=0.2) and (np.array(region) > frusta).all()


def test_a_driving_camera_comes_nearer_to_the_drops() -> None:
    drops = Drops(Rain(near=0.5, far=4.0, forward=10), (100, 100), 2)
    (_, _, before), (_, _, after) = drops.at(1.0), drops.at(1.01)
    moved = before - after
    nearer = moved > 0
    assert nearer.mean() > 0.95 and moved[nearer] == pytest.approx(0.1)
    assert moved[~nearer] == pytest.approx(0.1 - 3.5)  # passed the camera: far away again
    assert before.min() >= 0.5 and before.max() <= 4.0


def test_a_turning_camera_moves_all_drops_by_one_angle() -> None:
    """Whatever their depth, and the driving: of a drop straight ahead the angle grows by that of the turn."""
    rain = Rain(near=0.5, far=4.0, turbulence=0, yaw=12)
    drops = Drops(rain, (100, 100), 2)
    for moving in (drops, Drops(replace(rain, forward=3), (100, 100), 2)):
        (x0, _, z0), (x1, _, z1) = moving.at(0.5), moving.at(0.5 + 1e-4)
        kept = (x1 < x0) & (z1 <= z0)
        assert kept.mean() > 0.9
        assert (x1 - x0)[kept] / z0[kept] == pytest.approx(-np.radians(12) * 1e-4, rel=1e-3)
        assert moving.sideways(0.5, z0) == pytest.approx(-np.radians(12) * z0)


@pytest.mark.parametrize("name", PRESETS)
def test_gusts_swing_about_the_wind(name: str) -> None:
    """The way that a gust has carried a drop is the integral of its speed, and is bounded."""
    drops = Drops(PRESETS[name], (20, 20), 1)
    times = np.linspace(0, 2, 4001)
    speed, way = np.array([drops.gust(t) for t in times]).T
    assert np.trapezoid(speed[:1001], times[:1001]) == pytest.approx(way[1000], abs=1e-4)
    assert np.abs(speed).max() == pytest.approx(PRESETS[name].gusts, rel=1e-3) and way[-1] == pytest.approx(0, abs=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("absurd", [{"far": 1e4}, {"far": 1e200}, {"focal_length": 0.1}, {"near": 1e-9}])
def test_more_drops_than_memory_holds_are_refused_before_they_are_made(absurd: dict[str, float]) -> None:
    with pytest.raises(
        ConfigError, match=r"has \S+ drops before a camera of 640x480 pixels .*, and at most 1e\+07 can"
    ):
        Drops(replace(Rain(), **absurd), (480, 640), 0)
