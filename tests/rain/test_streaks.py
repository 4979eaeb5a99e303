"""Streaks against geometry and photometry."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.stats import linregress

from raincheck.rain.drops import Drops
from raincheck.rain.parameters import Rain
from raincheck.rain.presets import PRESETS
from raincheck.rain.render import RainField
from raincheck.rain.splatting import splat
from raincheck.rain.streaks import Streaks, project

NAMES = [field.name for field in fields(Streaks)]

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


def test_defocus_widens_near_drops_and_keeps_what_they_hide() -> None:
    sharp, blurred = (
        project(Drops(replace(PRESETS["heavy"], aperture=a), (200, 200), 0), np.array([0])) for a in (0.0, 0.01)
    )
    assert np.median(blurred.width) > 2 * np.median(sharp.width)
    assert blurred.area.mean() == pytest.approx(sharp.area.mean(), rel=0.5)


def one_drop(**changes: float) -> Streaks:
    """The streak of a drop of 2 mm straight ahead at 2 m, in a frame of 201x201 pixels."""
    rain = Rain(**{"near": 1.99, "far": 2.01, "aperture": 0, "turbulence": 0, "frame_rate": 15, **changes})
    drops = Drops(rain, (201, 201), 0)
    drops.diameter, drops.fall = np.full(len(drops), 2.0), np.full(len(drops), 6.55)
    drops.at = lambda time: (0 * drops.depth, 0 * drops.depth, 0 * drops.depth + 2.0)  # type: ignore[method-assign]
    streaks = project(drops, np.array([0]))
    return replace(streaks, **{name: getattr(streaks, name)[:1] for name in NAMES})


def test_opacity_falls_as_one_over_exposure() -> None:
    """A drop covers each pixel on its way for D / v: of the exposure, a share that falls as its inverse."""
    exposures = np.array([1 / 200, 1 / 120, 1 / 60, 1 / 30, 1 / 20])
    made = [one_drop(exposure=exposure) for exposure in exposures]
    depth = np.array([splat(streak, 1, (201, 201))[0][100].sum() for streak in made])  # across the streak's middle
    fit = linregress(np.log(exposures), np.log(depth))
    assert fit.slope == pytest.approx(-1, abs=0.06) and fit.rvalue < -0.999
    # Mean chord of the disc, 1 px wide, times the way of 6.55 m/s x exposure x 500 px/m that it is spread over.
    assert depth[-1] == pytest.approx(np.pi / 4 / (6.55 / 20 * 500), rel=0.05)
    length = np.array([streak.dy[0] for streak in made])
    assert length == pytest.approx(6.55 * exposures * 500)


def test_wind_makes_streaks_longer_fainter_and_aslant() -> None:
    """The same drop, carried sideways as fast as it falls: sqrt 2 as long, 1 / sqrt 2 as dark, 45 degrees."""
    still, blown = one_drop(exposure=1 / 50), one_drop(exposure=1 / 50, wind=6.55)
    assert math.hypot(blown.dx[0], blown.dy[0]) == pytest.approx(math.sqrt(2) * math.hypot(still.dx[0], still.dy[0]))
    assert math.degrees(math.atan2(blown.dx[0], blown.dy[0])) == pytest.approx(45)
    images = [splat(streak, 1, (201, 201))[0] for streak in (still, blown)]
    rows, columns = np.indices(images[0].shape)
    along = [rows, (rows + columns) / math.sqrt(2)]
    middle = [np.abs(way - np.average(way, weights=image)) < 9.5 for way, image in zip(along, images, strict=True)]
    per_pixel = [image[part].sum() / 19 for image, part in zip(images, middle, strict=True)]
    assert per_pixel[1] / per_pixel[0] == pytest.approx(1 / math.sqrt(2), rel=0.08)


def test_depth_scales_streaks_and_leaves_their_opacity() -> None:
    """Twice as far: half as long, half as wide, hidden area a quarter; a sharp streak's opacity is the same."""
    near, far = (project(Drops(replace(SHEET, near=z, far=1.01 * z), (300, 300), 1), np.array([0])) for z in (1.0, 2.0))
    for streaks, z in ((near, 1.0), (far, 2.0)):
        size = np.sqrt(streaks.area * 4 / np.pi) * streaks.depth  # mm: 1000 pixels at a metre
        assert streaks.dy * streaks.depth == pytest.approx((9.65 - 10.3 * np.exp(-0.6 * size)) / 250 * 1000)
        assert streaks.width == pytest.approx(size / streaks.depth) and streaks.depth.min() >= z


def test_a_driving_camera_draws_streaks_away_from_the_middle() -> None:
    """Drops that hang still in the air: every streak points away from the middle, by f X forward exposure / z^2."""
    rain = Rain(rate=60, turbulence=0, forward=15, exposure=1 / 100, near=0.8, far=4, aperture=0)
    drops = Drops(rain, (400, 400), 3)
    drops.fall = np.zeros(len(drops))
    streaks = project(drops, np.array([5]))
    x, y = streaks.x - 199.5, streaks.y - 199.5
    assert len(x) > 100
    assert streaks.dx == pytest.approx(x * 0.15 / streaks.depth) and streaks.dy == pytest.approx(
        y * 0.15 / streaks.depth
    )


@pytest.mark.parametrize("motion", [{}, {"forward": 6.0}, {"yaw": 40.0, "pan": 1.0}, {"forward": -4.0, "gusts": 2.0}])
def test_a_streak_ends_where_the_next_begins(motion: dict[str, float]) -> None:
    """With the shutter always open, what a drop does in one frame goes on in the next: for every drop in both."""
    rain = Rain(rate=30, exposure=1 / 240, frame_rate=240, aperture=0, near=1.0, far=4, **motion)
    drops = Drops(rain, (300, 300), 3)
    ends, begins = [], []
    for index in (20, 21):
        x, y, z = drops.at(index / 240)
        scale = 1000 / z
        nearing = rain.forward / 240 / z
        right = drops.sideways(index / 240, z) / 240 * scale + x * scale * nearing
        down = drops.fall / 240 * scale + y * scale * nearing
        ends.append(np.stack([x * scale + right / 2, y * scale + down / 2]))
        begins.append(np.stack([x * scale - right / 2, y * scale - down / 2]))
    gap = np.hypot(*(begins[1] - ends[0]))
    assert np.median(gap) < 0.01 and (gap < 0.25).mean() > 0.85  # the others came back somewhere else


def test_drops_behind_the_scene_are_hidden() -> None:
    """A wall at 2 m before the left half: there only nearer drops are drawn, elsewhere all."""
    streaks = project(Drops(PRESETS["dense"], (120, 160), 4), np.array([0, 1]))
    wall = np.full((2, 120, 160), np.inf, dtype=np.float32)
    wall[:, :, :80] = 2.0
    drawn, open_view = splat(streaks, 2, (120, 160), wall), splat(streaks, 2, (120, 160))
    nearer = streaks.depth < 2
    assert 0 < nearer.sum() < len(nearer)
    kept = replace(streaks, **{name: getattr(streaks, name)[nearer] for name in NAMES})
    assert drawn[..., :78] == pytest.approx(splat(kept, 2, (120, 160))[..., :78], abs=1e-6)
    assert np.array_equal(drawn[..., 82:], open_view[..., 82:])
    assert not np.allclose(drawn[..., :78], open_view[..., :78])


def test_blur_of_near_drops_is_the_circle_of_confusion() -> None:
    """Thin lens: aperture x focal length x |1/z - 1/focus|; nothing is blurred where the lens is focused."""
    rain = Rain(aperture=0.004, focus=3.0, near=0.4, far=6.0, rate=20)
    streaks = project(Drops(rain, (100, 100), 0), np.array([0]))
    sharp = project(Drops(replace(rain, aperture=0), (100, 100), 0), np.array([0]))
    disc = np.sqrt(streaks.area * 4 / np.pi)
    blur = np.sqrt(streaks.width**2 - disc**2)
    assert blur == pytest.approx(4 * np.abs(1 / streaks.depth - 1 / 3), abs=1e-6)
    assert blur[streaks.depth < 0.6].min() > 5 and sharp.width == pytest.approx(np.sqrt(sharp.area * 4 / np.pi))
