"""Drops against the closed forms they are drawn from."""

import numpy as np
import pytest

from raincheck.rain.drops import Drops, concentration, diameters, hashed, terminal_velocity
from raincheck.rain.parameters import Rain


def marshall_palmer(rate: float, edges: np.ndarray) -> np.ndarray:
    """Drops a m^3 between diameters `edges`, by integrating the published density numerically."""
    fine = np.linspace(edges[:-1], edges[1:], 201)
    return np.trapezoid(8000 * np.exp(-4.1 * rate**-0.21 * fine), fine, axis=0)


@pytest.mark.parametrize("rate", [2.0, 25.0, 100.0])
def test_sizes_follow_marshall_and_palmer(rate: float) -> None:
    sizes = diameters(rate, np.random.default_rng(1).random(200_000))
    edges = np.linspace(0.5, 6, 12)
    seen, _ = np.histogram(sizes, edges)
    wanted = marshall_palmer(rate, edges)
    wanted *= len(sizes) / wanted.sum()
    usual = wanted > 5
    chi2 = ((seen - wanted) ** 2 / wanted)[usual].sum()
    assert chi2 < 30  # 11 bins: exceeded once in a thousand seeds
    assert sizes.min() >= 0.5 and sizes.max() <= 6


def test_concentration_is_the_integral() -> None:
    assert concentration(10) == pytest.approx(marshall_palmer(10, np.linspace(0.5, 6, 50)).sum(), rel=1e-4)


def test_speeds_are_those_of_gunn_and_kinzer() -> None:
    """Measured: 4.03, 6.49 and 8.83 m/s at 1, 2 and 4 mm (Gunn and Kinzer 1949), which Atlas's formula fits."""
    assert terminal_velocity(np.array([1.0, 2.0, 4.0])) == pytest.approx([4.03, 6.49, 8.83], abs=0.15)


@pytest.mark.parametrize("time", [0.0, 3.7])
@pytest.mark.parametrize(("size", "far"), [((100, 200), 3.0), ((200, 400), 3.0), ((100, 200), 6.0)])
def test_number_in_view_follows_the_volume_of_the_frustum(size: tuple[int, int], far: float, time: float) -> None:
    """Also after the drops have fallen and wrapped many times."""
    rain = Rain(rate=50, near=0.5, far=far, wind=2, gusts=1)
    drops = Drops(rain, size, 3)
    x, y = drops.at(time)
    scale = rain.focal_length / drops.depth
    seen = int(((np.abs(x * scale) < size[1] / 2) & (np.abs(y * scale) < size[0] / 2)).sum())
    volume = size[0] * size[1] / rain.focal_length**2 * (far**3 - 0.5**3) / 3
    expected = concentration(50) * volume
    assert abs(seen - expected) < 4 * np.sqrt(expected)


def test_a_drop_moves_by_its_velocity_until_it_comes_back_at_the_top() -> None:
    drops = Drops(Rain(wind=3), (100, 100), 5)
    (x0, y0), (x1, y1) = drops.at(2.0), drops.at(2.0 + 1e-3)
    falling = y1 > y0
    assert falling.mean() > 0.8  # in a millisecond few of them wrap
    assert y1[falling] - y0[falling] == pytest.approx(terminal_velocity(drops.diameter)[falling] * 1e-3, abs=1e-9)
    kept = falling & (x1 > x0)
    assert x1[kept] - x0[kept] == pytest.approx(drops.drift[kept] * 1e-3, abs=1e-9)


def test_returning_drops_take_new_places() -> None:
    drop = np.arange(5000, dtype=np.uint64)
    first, second = (hashed(9, drop, np.full(5000, wrap, np.uint64)) for wrap in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06
    assert np.histogram(first, 10, (0, 1))[0] == pytest.approx(500, abs=100)
    assert not np.array_equal(first, hashed(10, drop, np.zeros(5000, np.uint64)))
