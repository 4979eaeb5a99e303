"""Rain parameters: ranges, presets, the veil's formula."""

import math
from typing import Any

import numpy as np
import pytest

from raincheck.errors import ConfigError
from raincheck.rain.parameters import Rain, randomise
from raincheck.rain.presets import PRESETS, find_rain


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rate": 0}, "the rain's rate is 0; it must be above 0"),
        ({"airlight": 1.5}, "the rain's airlight is 1.5; it must be between 0 and 1"),
        ({"far": 0.1}, "the rain's far is 0.1; it must be beyond near (0.6 m)"),
        ({"exposure": 0.1}, "the rain's exposure is 0.1; it must be at most the time between frames, 1/30 s"),
        ({"light": -1}, "the rain's light is -1; it must be 0 or more"),
        ({"kind": "hail"}, "the rain's kind is 'hail'; it must be one of rain, snow"),
        ({"kind": ["rain"]}, "the rain's kind is ['rain']; it must be one of rain, snow"),
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        Rain(**wrong)
    assert str(error.value) == sentence


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ConfigError, match="finite"):
        Rain(wind=float("nan"))
    with pytest.raises(ConfigError, match="finite"):
        find_rain({"rate": "fast"})
    with pytest.raises(ConfigError, match="finite"):
        find_rain({"rate": 10**400})


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="no rain is called 'thinn'; give one of thin, dense"):
        find_rain("thinn")
    with pytest.raises(ConfigError, match="rain has no parameter 'rates'; it has rate, wind"):
        find_rain({"rates": 3})
    assert find_rain({"rate": 3}) == Rain(rate=3)


def test_veil_is_koschmieder_with_shettles_extinction() -> None:
    rain = Rain(rate=50, veil=2, scene_depth=300)
    per_km = 0.312 * 50**0.67
    assert rain.transmission == pytest.approx(math.exp(-2 * per_km * 0.3))
    assert Rain(veil=0).transmission == 1
    depth = np.array([300, 600, np.inf], dtype=np.float32)
    assert rain.passing(depth) == pytest.approx([rain.transmission, rain.transmission**2, 0], rel=1e-5)
    assert (Rain(veil=0).passing(depth) == 1).all()


@pytest.mark.parametrize("name", PRESETS)
def test_variations_stay_near_their_type_and_follow_the_generator(name: str) -> None:
    rain = PRESETS[name]
    made = [randomise(rain, np.random.default_rng(seed)) for seed in range(200)]
    assert made[3] == randomise(rain, np.random.default_rng(3))
    for varied in ("rate", "exposure", "focal_length", "light"):
        factors = np.log([getattr(variation, varied) / getattr(rain, varied) for variation in made])
        assert 0.12 < factors.std() < 0.22 and abs(factors.mean()) < 0.05
    airlight = np.array([variation.airlight - rain.airlight for variation in made])
    assert 0.02 < airlight.std() < 0.035 and abs(airlight.mean()) < 0.008
    assert all(abs(variation.wind - rain.wind) <= max(0.8, 2 * abs(rain.wind) / 7) + 1e-9 for variation in made)


def test_variations_are_as_wide_as_asked_for_and_never_out_of_range() -> None:
    rain = Rain(exposure=1 / 30, airlight=0.99, wind=3)
    assert randomise(rain, np.random.default_rng(0), 0) == rain
    near, far = (randomise(rain, np.random.default_rng(0), spread) for spread in (1, 2))
    assert math.log(far.rate / rain.rate) == pytest.approx(2 * math.log(near.rate / rain.rate))
    assert far.wind - 3 == pytest.approx(2 * (near.wind - 3))
    made = [randomise(rain, np.random.default_rng(seed)) for seed in range(50)]
    assert max(variation.exposure for variation in made) == 1 / 30 > min(variation.exposure for variation in made)
    assert max(variation.airlight for variation in made) == 1
