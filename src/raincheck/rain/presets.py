"""The rains that have names."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from raincheck.errors import ConfigError
from raincheck.rain.parameters import Rain

PRESETS: dict[str, Rain] = {
    # Fine, short, upright streaks, all sharp: a fast shutter, drops not nearer than a metre.
    "thin": Rain(rate=20, exposure=1 / 250, light=10.0, near=0.9, aperture=0),
    "dense": Rain(rate=60, exposure=1 / 200, light=8.0),
    # A downpour: long streaks, partly out of focus, before a scene that fades into grey.
    "veil": Rain(rate=90, exposure=1 / 100, light=5.0, near=0.4, far=3.5, veil=1.0, scene_depth=26, airlight=0.75),
    # Long slanted streaks, about 45 degrees.
    "wind": Rain(rate=30, wind=7, gusts=1.0, turbulence=0.5, exposure=1 / 80, light=15.0, far=3.5),
    "drizzle": Rain(rate=3, exposure=1 / 250, light=15.0, far=4.0, turbulence=0.5),
    "heavy": Rain(rate=70, wind=1, exposure=1 / 125, light=7.0, near=0.3, far=3.5, aperture=0.004),
    # Lit by lamps: bright where they are, hardly seen between them.
    "night": Rain(
        rate=20, wind=-1.5, exposure=1 / 60, light=12.0, sky_share=1.0, far=3.5, veil=0.5, airlight=0.2, lamps=0.8
    ),
    # Hardly a drop, for mixtures: a network that sees no dry clip takes sunlit foliage for rain.
    "dry": Rain(rate=0.001),
    # Few but long streaks: a slow shutter.
    "sparse": Rain(rate=5, exposure=1 / 50, light=32.0, near=0.5, far=3.0, turbulence=0.1),
    "light": Rain(rate=8, exposure=1 / 160, light=12.0, turbulence=0.3),
    "downpour": Rain(
        rate=120, wind=-1.5, gusts=0.5, exposure=1 / 80, light=5.0, near=0.3, far=3.5, veil=1.5, scene_depth=40
    ),
    # From a car: streaks away from the middle, long at the borders.
    "drive": Rain(rate=25, exposure=1 / 100, light=7.0, forward=12.0, veil=0.5, scene_depth=60),
    # A short exposure: flakes of some millimetres, before one another.
    "snow": Rain(
        kind="snow",
        rate=4,
        exposure=1 / 400,
        light=1.3,
        sky_share=1,
        turbulence=0.4,
        gusts=0.3,
        near=0.5,
        far=7,
        veil=1,
    ),
}


def find_rain(rain: str | Rain | Mapping[str, Any]) -> Rain:
    """The rain that a configuration names: a preset's name, a `Rain`, or a mapping of its parameters.

    Raises:
        ConfigError: if there is no such preset or parameter.
    """
    if isinstance(rain, Rain):
        return rain
    if isinstance(rain, str):
        if rain not in PRESETS:
            raise ConfigError(
                f"no rain is called {rain!r}; give one of {', '.join(PRESETS)} or a mapping of parameters"
            )
        return PRESETS[rain]
    unknown = sorted(set(rain) - {field.name for field in fields(Rain)})
    if unknown:
        raise ConfigError(f"rain has no parameter {unknown[0]!r}; it has {', '.join(f.name for f in fields(Rain))}")
    return Rain(**rain)
