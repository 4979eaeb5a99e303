"""Both kinds of rain, physical and drawn: as a configuration names them, varied, and falling."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from raincheck.errors import ConfigError
from raincheck.rain.drawing import DrawnField
from raincheck.rain.drawn import DRAWN, Drawn
from raincheck.rain.drops import Seed
from raincheck.rain.parameters import Rain, randomise
from raincheck.rain.presets import PRESETS, find_rain
from raincheck.rain.render import RainField

Named = str | Rain | Drawn | Mapping[str, Any]


def as_rains(rain: Named | Sequence[Named]) -> tuple[Rain | Drawn, ...]:
    """The rains of a type, which a configuration names singly or as a list.

    Raises:
        ConfigError: if there is none, or one is unknown or out of range.
    """
    parts = [rain] if isinstance(rain, str | Rain | Drawn | Mapping) else rain
    if not parts:
        raise ConfigError("a mixed rain type needs one or more rains; name presets such as thin or veil")
    return tuple(as_rain(part) for part in parts)


def as_rain(rain: Named) -> Rain | Drawn:
    """One rain; a mapping is a drawn one if it has a range, or a parameter that only these have.

    Raises:
        ConfigError: if it is unknown or out of range.
    """
    if isinstance(rain, Drawn):
        return rain
    if isinstance(rain, str) and rain not in PRESETS:
        if rain not in DRAWN:
            known = ", ".join([*PRESETS, *DRAWN])
            raise ConfigError(f"no rain is called {rain!r}; give one of {known} or a mapping of parameters")
        return DRAWN[rain]
    return _drawn(rain) if isinstance(rain, Mapping) and _is_drawn(rain) else find_rain(rain)


def falling(rain: Rain | Drawn, size: tuple[int, int], seed: Seed) -> RainField | DrawnField:
    """One rain, to be laid over frames.

    Args:
        rain: what falls.
        size: height and width of the frames, pixels.
        seed: decides every streak.
    """
    return DrawnField(rain, size, seed) if isinstance(rain, Drawn) else RainField(rain, size, seed)


def varied(rain: Rain | Drawn, rng: np.random.Generator, spread: float) -> Rain | Drawn:
    """Another rain of the same type, see `randomise`; a drawn one is another whenever it falls, and needs no `rng`."""
    return rain if isinstance(rain, Drawn) else randomise(rain, rng, spread)


def _is_drawn(rain: Mapping[str, Any]) -> bool:
    alone = {entry.name for entry in fields(Drawn)} - {entry.name for entry in fields(Rain)}
    return bool(alone & set(rain)) or any(isinstance(value, list | tuple) for value in rain.values())


def _drawn(rain: Mapping[str, Any]) -> Drawn:
    names = [entry.name for entry in fields(Drawn)]
    unknown = sorted(set(rain) - set(names))
    if unknown:
        raise ConfigError(f"drawn rain has no parameter {unknown[0]!r}; it has {', '.join(names)}")
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in rain.items()}
    return Drawn(**given)
