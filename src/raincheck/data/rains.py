"""The rains that a command names: presets, and files of parameters."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from raincheck import plain_yaml
from raincheck.errors import ConfigError
from raincheck.rain.drawn import Drawn
from raincheck.rain.kinds import as_rain
from raincheck.rain.parameters import Rain


def read_rains(named: Sequence[str]) -> dict[str, Rain | Drawn]:
    """Rains by name: presets, or YAML files of a rain's parameters, called by the file's name.

    Raises:
        ConfigError: if there is no such preset, file or parameter.
    """
    rains: dict[str, Rain | Drawn] = {}
    for text in named:
        path = Path(text)
        known = path.suffix in (".yaml", ".yml")
        name, rain = (path.stem, read_rain(path)) if known else (text, as_rain(text))
        if name in rains:
            raise ConfigError(f"two rains are called {name}; rename one")
        rains[name] = rain
    return rains


def read_rain(path: Path) -> Rain | Drawn:
    """The rain whose parameters a YAML file holds.

    Raises:
        ConfigError: if it holds no mapping of them, or one of them twice.
    """
    try:
        content = plain_yaml.load(path)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is no YAML"
        raise ConfigError(f"cannot read the rain {path}: {reason}; give a preset or a file of parameters") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} does not describe a rain; write parameters such as `rate: 20`, one a line")
    return as_rain({str(key): value for key, value in content.items()})
