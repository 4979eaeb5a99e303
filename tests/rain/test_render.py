"""Streaks against geometry and photometry."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from raincheck.rain.drops import Drops
from raincheck.rain.parameters import PRESETS, Rain
from raincheck.rain.render import RainField, Streaks, compose, project, render, splat

# All drops at two metres within 1.5%, sharp: 500 pixels a metre.
SHEET = Rain(rate=20, near=1.97, far=2.03, aperture=0, turbulence=0, exposure=1 / 250, frame_rate=250)


def optical_depth(field: RainField, index: int) -> np.ndarray:
    return -np.log1p(-field.frame(index).astype(np.float64))


def size_weighted(power: int) -> tuple[np.ndarray, np.ndarray]:
    """Falling speeds and the weights N(D) D^power of `SHEET`'s drops."""
    size = np.linspace(0.5, 6, 2000)
    return 9.65 - 10.3 * np.exp(-0.6 * size), np.exp(-4.1 * 20**-0.21 * size) * size**power


@pytest.mark.parametrize("exposure", [1 / 1000, 1 / 250])
def test_streak_length_is_speed_times_exposure_over_depth(exposure: float) -> None:
    streaks = project(Drops(replace(SHEET, exposure=exposure, wind=3), (600, 600), 1), np.array([4]))
    size = np.sqrt(streaks.area * 4 / np.pi) / 500 * 1000  # mm
    speed = 9.65 - 10.3 * np.exp(-0.6 * size)
    assert len(size) > 50
    assert streaks.dy == pytest.approx(speed * exposure * 500, rel=0.03)
    assert streaks.dx == pytest.approx(np.full(len(size), 3 * exposure * 500), rel=0.02)


def test_longer_exposure_gives_fainter_streaks_that_hide_as_much() -> None:
    short, long = (
        np.stack(
            [optical_depth(RainField(replace(SHEET, exposure=exposure), (400, 400), seed), 0) for seed in range(20)]
        )
        for exposure in (1 / 1000, 1 / 250)
    )
    assert long.mean() == pytest.approx(short.mean(), rel=0.15)
    # Mean opacity where drops are: a drop of 2 mm moves by 3.2 pixels in the short exposure, by 13 in the long one.
    opacity = [(depth**2).sum() / depth.sum() for depth in (short, long)]
    assert 0.2 < opacity[1] / opacity[0] < 0.45


@pytest.mark.parametrize("wind", [-6.0, 0.0, 6.0])
def test_streaks_lean_with_the_wind(wind: float) -> None:
    """The direction in which brightness changes least is that of the drops."""
    image = np.stack([optical_depth(RainField(replace(SHEET, wind=wind), (500, 500), s), 2) for s in range(4)])
    gy, gx = np.gradient(image, axis=(1, 2))
    across = 0.5 * math.atan2(2 * (gx * gy).mean(), (gx**2).mean() - (gy**2).mean())
    speed, weight = size_weighted(3)
    expected = math.atan(wind / np.average(speed, weights=weight))
    # A streak that goes down by v and right by w has its normal along (v, -w).
    assert math.degrees(across) == pytest.approx(-math.degrees(expected), abs=5)


@pytest.mark.parametrize("wind", [0.0, 4.0])
def test_rain_moves_from_frame_to_frame_as_its_drops_do(wind: float) -> None:
    """The shift that best maps a frame to the next, against the drops' mean velocity weighted as correlation does."""
    rain = replace(SHEET, rate=20, wind=wind, exposure=1 / 2000)
    total = np.zeros((512, 512))
    for seed in range(12):
        first, second = (np.fft.fft2(optical_depth(RainField(rain, (512, 512), seed), i)) for i in (30, 31))
        total += np.fft.ifft2(np.conj(first) * second).real
    down, right = np.unravel_index(total[:64, :64].argmax(), (64, 64))
    speed, weight = size_weighted(4)
    assert down == pytest.approx(np.average(speed, weights=weight) / 250 * 500, abs=2)
    assert right == pytest.approx(wind / 250 * 500, abs=1)


def test_pan_moves_the_rain_against_the_camera() -> None:
    still, panned = (Drops(replace(SHEET, wind=wind, pan=pan), (64, 64), 3) for wind, pan in ((5, 0), (8, 3)))
    assert panned.drift == pytest.approx(5)
    assert still.drift == pytest.approx(5)


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
    )
    depth = splat(streaks, 2, (100, 100))
    wanted = np.bincount(streaks.frame, streaks.area)
    assert depth.sum((1, 2), dtype=np.float64) == pytest.approx(wanted, rel=1e-5)
    rows, columns = np.indices((100, 100))
    one = replace(streaks, **{name: getattr(streaks, name)[20:21] for name in streaks.__dataclass_fields__})
    image = splat(replace(one, frame=np.zeros(1, np.int64)), 1, (100, 100))[0]
    centre = np.average(rows, weights=image), np.average(columns, weights=image)
    assert centre == pytest.approx((one.y[0], one.x[0]), abs=1e-3)


def test_a_sharp_wide_drop_at_rest_is_a_disc() -> None:
    """An open shutter before a drop that does not move: it hides its disc, wholly, and nothing else."""
    one = np.ones(1)
    streak = Streaks(np.zeros(1, np.int64), 50 * one, 50 * one, 0 * one, 0 * one, np.pi / 4 * 900 * one, 30 * one)
    image = splat(streak, 1, (101, 101))[0]
    rows, columns = np.indices(image.shape)
    radius = np.hypot(rows - 50, columns - 50)
    assert image[radius > 17].max() == 0
    assert image[radius < 12] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", PRESETS)
def test_a_frame_is_a_function_of_seed_and_time(name: str) -> None:
    rain = PRESETS[name]
    field = RainField(rain, (48, 64), 11)
    frames = field.frames(2, 4)
    assert frames.dtype == np.float32 and frames.shape == (4, 48, 64)
    assert frames.min() >= 0 and frames.max() < 1
    for i in range(4):
        assert np.array_equal(frames[i], RainField(rain, (48, 64), 11).frame(2 + i))
    other = RainField(rain, (48, 64), 12).frames(2, 4)
    assert np.array_equal(frames, other) == (name == "dry")  # in which there is nothing to vary


@pytest.mark.parametrize("name", ["thin", "veil"])
def test_rainy_is_composed_of_what_is_returned(name: str) -> None:
    clean = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 3, 40, 56), dtype=np.uint8))
    made = render(clean, PRESETS[name], seed=(4, 2))
    again = compose(clean / 255, made.streaks, made.transmission, made.light, made.airlight)
    assert torch.equal(made.rainy, (again.clamp(0, 1) * 255).round().to(torch.uint8))
    assert torch.equal(made.rainy, render(clean, PRESETS[name], seed=(4, 2)).rainy)
    assert made.streaks.shape == (3, 1, 40, 56)


def test_composition_follows_its_formula() -> None:
    clean, streaks = torch.full((1, 3, 1, 2), 0.2), torch.tensor([[[[0.0, 0.5]]]])
    made = compose(clean, streaks, 0.5, 2.0, 0.8)
    assert made[0, 0, 0].tolist() == pytest.approx([0.2 * 0.5 + 0.8 * 0.5, 0.5 * 0.5 + 2.0 * 0.5])


def test_without_light_veil_or_drops_the_clip_stays() -> None:
    """With no veil, only pixels behind a drop change."""
    clean = torch.full((2, 3, 32, 32), 90, dtype=torch.uint8)
    made = render(clean, PRESETS["thin"], seed=1)
    untouched = (made.streaks == 0).expand_as(clean)
    assert untouched.any() and torch.equal(made.rainy[untouched], clean[untouched])
    assert (made.rainy[~untouched] >= 90).all() and (made.rainy > 90).any()


def test_defocus_widens_near_drops_and_keeps_what_they_hide() -> None:
    sharp, blurred = (
        project(Drops(replace(PRESETS["heavy"], aperture=a), (200, 200), 0), np.array([0])) for a in (0.0, 0.01)
    )
    assert np.median(blurred.width) > 2 * np.median(sharp.width)
    assert blurred.area.mean() == pytest.approx(sharp.area.mean(), rel=0.5)
