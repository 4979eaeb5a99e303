"""Rain over video: determinism, composition, depth maps."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from raincheck.errors import InputError
from raincheck.rain.parameters import Rain
from raincheck.rain.presets import PRESETS
from raincheck.rain.render import RainField, compose, render


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


def test_streaks_show_the_more_the_darker_the_scene() -> None:
    """Garg and Nayar (2007): what a streak adds falls linearly with the brightness behind it, and can be negative."""
    shown = []
    for level in (0, 60, 120, 180, 240):
        clean = torch.full((2, 3, 40, 60), level, dtype=torch.uint8)
        made = render(clean, replace(PRESETS["thin"], sky_share=1.0, light=0.7), seed=2)
        exact = compose(clean / 255, made.streaks, made.transmission, made.light, made.airlight) - clean / 255
        shown.append(exact.mean().item())
    assert np.diff(shown) == pytest.approx(np.full(4, np.diff(shown).mean()), rel=1e-3)
    assert shown[0] > 0 > shown[-1]
    assert shown[0] / -np.diff(shown)[0] == pytest.approx(0.7 * 255 / 60, rel=1e-3)


def test_a_depth_map_veils_what_is_far_and_hides_rain_behind_what_is_near() -> None:
    clean = torch.full((2, 3, 40, 60), 50, dtype=torch.uint8)
    rain = replace(PRESETS["veil"], scene_depth=80.0)
    plain = render(clean, rain, 3)
    level = render(clean, rain, 3, depth=torch.full((40, 60), 80.0))
    assert torch.equal(level.streaks, plain.streaks)
    assert torch.allclose(level.rainy.float(), plain.rainy.float(), atol=1)
    depth = torch.full((40, 60), 80.0)
    depth[:, :20], depth[:, 40:] = 0.1, float("inf")  # nothing is before the left, the right is sky
    made = render(clean, rain, 3, depth=depth)
    assert not made.streaks[..., :19].any() and (made.rainy[..., :19] == 50).all()
    assert torch.equal(made.streaks[..., 21:], plain.streaks[..., 21:])
    sky = (made.streaks[..., 41:] == 0).expand(2, 3, 40, 19)
    assert (made.rainy[..., 41:][sky] == round(0.75 * 255)).all() and sky.any()
    again = compose(clean / 255, made.streaks, made.transmission, made.light, made.airlight)
    assert torch.equal(made.rainy, (again.clamp(0, 1) * 255).round().to(torch.uint8))
    moving = render(clean, rain, 3, depth=torch.stack([torch.full((40, 60), 80.0), depth]))
    assert torch.equal(moving.rainy[0], level.rainy[0]) and torch.equal(moving.rainy[1], made.rainy[1])


def test_without_a_veil_the_sky_stays() -> None:
    clean = torch.full((1, 3, 8, 8), 50, dtype=torch.uint8)
    made = render(clean, PRESETS["dry"], 0, depth=torch.full((8, 8), float("inf")))
    assert torch.equal(made.rainy, clean)


@pytest.mark.parametrize(
    ("depth", "sentence"),
    [
        (torch.ones(3, 5), "a depth map is (3, 5); frames (2, 4, 5) need (4, 5) or (2, 4, 5)"),
        (torch.zeros(4, 5), "a depth map has values that are not above 0; give distances in metres, inf for the sky"),
        (torch.full((4, 5), float("nan")), "a depth map has values that are not above 0; give distances in metres, "
         "inf for the sky"),
    ],
)  # fmt: skip
def test_what_is_no_depth_map_is_refused(depth: torch.Tensor, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        render(torch.zeros(2, 3, 4, 5, dtype=torch.uint8), Rain(), 0, depth=depth)
    assert str(error.value) == sentence


def test_snow_falls_slowly_in_large_flakes() -> None:
    """About a metre a second and millimetres wide: between frames flakes move by some of their own widths."""
    snow, rain = (RainField(replace(PRESETS[name], near=1, far=3), (100, 100), 0).drops for name in ("snow", "dense"))
    assert np.median(snow.diameter) > 2 * np.median(rain.diameter)
    assert snow.fall.max() < 1.2 < rain.fall.min()
