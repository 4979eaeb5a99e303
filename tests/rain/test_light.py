"""The light that rain takes on: of the whole scene, and of lamps near it."""

from dataclasses import replace

import pytest
import torch

from raincheck.rain.light import lamplight, mean_colour
from raincheck.rain.presets import PRESETS
from raincheck.rain.render import render


def test_a_mean_colour_is_a_frames_own() -> None:
    clean = torch.randint(0, 256, (3, 3, 7, 11), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    expected = clean.double().mean(dim=(-2, -1), keepdim=True) / 255
    assert torch.allclose(mean_colour(clean).double(), expected, atol=1e-7)
    assert torch.equal(mean_colour(clean[1:2])[0], mean_colour(clean)[1])


def test_by_night_rain_shows_near_lamps() -> None:
    """The same light on average, and most of it around a lamp."""
    clean = torch.full((2, 3, 60, 90), 12, dtype=torch.uint8)
    clean[:, :, 26:34, 16:24] = 255
    glow = lamplight(clean, 1.0)
    assert isinstance(glow, torch.Tensor) and glow.mean(dim=(1, 2, 3)).tolist() == pytest.approx([1, 1])
    assert glow[0, 0, 30, 20] > 5 * glow[0, 0, 30, 70]
    half = lamplight(clean, 0.5)
    assert isinstance(half, torch.Tensor) and torch.allclose(half, 0.5 + 0.5 * glow)
    clean[:, :, 26:34, 61:69] = 128  # half as bright in the picture, and so a quarter of the light
    both = lamplight(clean, 1.0)
    assert isinstance(both, torch.Tensor) and both[0, 0, 30, 20] / both[0, 0, 30, 65] == pytest.approx(4, rel=0.05)
    clean[:, :, 26:34, 61:69] = 12
    rain = replace(PRESETS["night"], veil=0)
    made = render(clean, replace(rain, lamps=1.0), 2)
    assert torch.equal(made.light, (rain.light * glow).expand(2, 3, 60, 90))
    assert torch.equal(made.streaks, render(clean, replace(rain, lamps=0.0), 2).streaks)
    for i in range(2):
        assert torch.equal(lamplight(clean[i : i + 1], 1.0)[0], glow[i])  # type: ignore[index]
