"""What falls, against the published distributions and speeds, and against scipy's."""

import numpy as np
import pytest
from scipy.stats import kstest, truncexpon

from raincheck.rain.drops import Drops
from raincheck.rain.laws import LAWS
from raincheck.rain.parameters import Rain

RAIN, SNOW = LAWS["rain"], LAWS["snow"]
# N0 and k of Marshall and Palmer (1948), and of Sekhon and Srivastava (1970), at R mm/h.
PUBLISHED = {
    "rain": lambda rate: (8000.0, 4.1 * rate**-0.21),
    "snow": lambda rate: (2500.0 * rate**-0.94, 2.29 * rate**-0.45),
}


@pytest.mark.parametrize(
    ("kind", "rate"), [("rain", 2.0), ("rain", 25.0), ("rain", 100.0), ("snow", 0.5), ("snow", 3.0)]
)
def test_sizes_follow_the_published_distribution(kind: str, rate: float) -> None:
    """A Kolmogorov-Smirnov test against scipy's truncated exponential."""
    law, (_, k) = LAWS[kind], PUBLISHED[kind](rate)
    sizes = law.diameters(rate, np.random.default_rng(1).random(20_000))
    published = truncexpon((law.largest - law.smallest) * k, loc=law.smallest, scale=1 / k)
    assert kstest(sizes, published.cdf).pvalue > 0.01
    steeper = truncexpon((law.largest - law.smallest) * 1.2 * k, loc=law.smallest, scale=1 / (1.2 * k))
    assert kstest(sizes, steeper.cdf).pvalue < 1e-4


def test_the_drops_of_a_rain_follow_it_too() -> None:
    drops = Drops(Rain(rate=12, near=0.5, far=4.0), (480, 640), 7)
    k = 4.1 * 12**-0.21
    assert len(drops) > 2000
    assert kstest(drops.diameter, truncexpon(5.5 * k, loc=0.5, scale=1 / k).cdf).pvalue > 0.01


@pytest.mark.parametrize("kind", LAWS)
def test_concentration_is_the_integral(kind: str) -> None:
    law, (intercept, k) = LAWS[kind], PUBLISHED[kind](10.0)
    size = np.linspace(law.smallest, law.largest, 20_001)
    assert law.concentration(10) == pytest.approx(np.trapezoid(intercept * np.exp(-k * size), size), rel=1e-6)


def test_speeds_are_those_of_gunn_and_kinzer() -> None:
    """Measured: 4.03, 6.49 and 8.83 m/s at 1, 2 and 4 mm (Gunn and Kinzer 1949), which Atlas's formula fits."""
    assert RAIN.speed(np.array([1.0, 2.0, 4.0])) == pytest.approx([4.03, 6.49, 8.83], abs=0.15)


def test_flakes_are_wide_light_and_slow() -> None:
    """Observed in Hokuriku (Papers in Meteorology and Geophysics 31, 1980): 0.5 mg and 70 to 100 cm/s were usual."""
    half_milligram = np.array((0.5 * 6 / np.pi) ** (1 / 3))
    assert 0.7 < SNOW.speed(half_milligram) < 1.05
    width = SNOW.width(np.linspace(0.4, 1.5, 20))
    assert width.min() > 0.5 and width.max() == pytest.approx(SNOW.widest) and SNOW.widest < 10
    assert (np.diff(width) > 0).all()


@pytest.mark.parametrize("kind", LAWS)
def test_nothing_falls_faster_than_said(kind: str) -> None:
    law = LAWS[kind]
    assert law.speed(np.linspace(law.smallest, law.largest, 100)).max() <= law.fastest


def test_water_that_falls_is_the_rate() -> None:
    """Marshall and Palmer's rain of R mm/h brings about R mm an hour: the integral of volume x speed."""
    for rate in (5.0, 20.0, 60.0):
        size = np.linspace(0, 8, 4001)
        flux = 8000 * np.exp(-RAIN.slope(rate) * size) * np.pi / 6 * size**3 * RAIN.speed(size).clip(0)
        assert np.trapezoid(flux, size) * 3600 * 1e-6 == pytest.approx(rate, rel=0.2)
