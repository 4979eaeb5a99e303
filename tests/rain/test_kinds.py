"""Rains by name or by parameters, physical and drawn."""

from typing import Any

import pytest

from raincheck.errors import ConfigError
from raincheck.rain.drawn import DRAWN, Drawn
from raincheck.rain.kinds import as_rains
from raincheck.rain.parameters import Rain
from raincheck.rain.presets import PRESETS


@pytest.mark.parametrize(
    ("named", "rains"),
    [
        ("thin", (PRESETS["thin"],)),
        (["dry", "soft"], (PRESETS["dry"], DRAWN["soft"])),
        ({"rate": 3, "light": 2}, (Rain(rate=3, light=2),)),
        ({"light": [0.5, 0.6]}, (Drawn(light=(0.5, 0.6)),)),
        ([{"slant": 3}, Drawn(slant=4), Rain()], (Drawn(slant=3), Drawn(slant=4), Rain())),
        ({"length": [4, 9], "blends": ["add"]}, (Drawn(length=(4, 9), blends=("add",)),)),
    ],
)
def test_a_rain_is_named_or_described(named: Any, rains: tuple[Rain | Drawn, ...]) -> None:
    assert as_rains(named) == rains


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ([], "a mixed rain type needs one or more rains"),
        ("linse", "no rain is called 'linse'; give one of .*, dry, .*, lines, .* or a mapping of parameters"),
        ({"rates": 3}, "rain has no parameter 'rates'; it has rate, "),
        ({"rate": 3, "slant": 3}, "drawn rain has no parameter 'rate'; it has length, "),
        ({"length": [9, 4]}, r"drawn rain's length is \(9, 4\); give two numbers above 0, the lower one first"),
        ({"length": 9}, "drawn rain's length is 9; give two numbers"),
        ({"width": ["a", "b"]}, r"drawn rain's width is \('a', 'b'\); give two numbers"),
        ({"slant": "steep"}, "drawn rain needs opacity and coverage up to 1, a slant and blends; change "),
        ({"slant": float("nan")}, "drawn rain needs opacity and coverage up to 1, a slant and blends; change "),
        ({"pace": [1, float("inf")]}, r"drawn rain's pace is \(1, inf\); give two numbers"),
    ],
)
def test_mistakes_are_one_sentence(named: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"^{sentence}"):
        as_rains(named)
