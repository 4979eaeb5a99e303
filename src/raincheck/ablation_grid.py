"""The grid of an ablation: which settings are compared, and over which seeds."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import reduce
from itertools import combinations, product
from pathlib import Path
from typing import Any

from raincheck.config import read_yaml
from raincheck.errors import ConfigError

Settings = dict[str, Any]
NAME = re.compile(r"\w[\w.,=+-]*")  # names become folders


@dataclass(frozen=True)
class Grid:
    """A grid file's content.

    Attributes:
        base: configuration files of all cells.
        options: command-line options of all cells, such as `["--stream.steps", "150"]`; a cell's own settings win.
        cells: by name, the settings that are laid over the base.
        seeds: of which each cell is run.
    """

    base: tuple[Path, ...]
    options: tuple[str, ...]
    cells: Mapping[str, Settings]
    seeds: tuple[int, ...]


def read_grid(path: Path) -> Grid:
    """Reads GRID.yaml.

    It holds `base` (configuration files, relative to the grid file), `options`, `seeds` (default `[0]`), and either
    `cells` (name: settings as in a configuration) or `factors` (factor: level: settings), of which every combination of
    levels is a cell. Lists, such as `plugins`, are replaced as a whole, so two factors cannot share one.

    Raises:
        ConfigError: if the file is missing, no YAML, or not such a grid.
    """
    content = read_yaml(path)
    known = [field.name for field in fields(Grid)] + ["factors"]
    if not isinstance(content, dict) or not set(content) <= set(known):
        wrong = sorted(str(key) for key in set(content) - set(known)) if isinstance(content, dict) else ["no mapping"]
        raise ConfigError(f"{path} is no grid ({', '.join(wrong)}); its keys are {', '.join(known)}")
    base, options = _texts(content, "base", path), _texts(content, "options", path)
    seeds = content.get("seeds", [0])
    if not isinstance(seeds, list) or not seeds or any(type(seed) is not int or seed < 0 for seed in seeds):
        raise ConfigError(f"{path}: seeds must be a list of whole numbers from 0 up, not {seeds}")
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"{path}: the seeds {seeds} are not all different; name each once")
    return Grid(tuple(path.parent / file for file in base), options, _cells(content, path), tuple(seeds))


def _texts(content: Settings, key: str, path: Path) -> tuple[str, ...]:
    listed = content.get(key, [])
    if not isinstance(listed, list) or any(isinstance(item, dict | list | None) for item in listed):
        raise ConfigError(f"{path}: {key} must be a list of texts, not {listed}")
    return tuple(str(item) for item in listed)


def _cells(content: Settings, path: Path) -> dict[str, Settings]:
    if ("cells" in content) == ("factors" in content):
        raise ConfigError(f"{path} needs either cells or factors; give one of the two")
    if "factors" in content:
        return _product(_named(content["factors"], path, "factors"), path)
    cells = _named(content["cells"], path, "cells")
    return {name: _settings(settings, path, f"cell {name}") for name, settings in cells.items()}


def _product(factors: Settings, path: Path) -> dict[str, Settings]:
    """Every combination of one level of each factor, named `factor=level,factor=level`."""
    levels = {
        factor: {
            level: _settings(settings, path, f"{factor}={level}")
            for level, settings in _named(named, path, f"factor {factor}").items()
        }
        for factor, named in factors.items()
    }
    for one, other in combinations(levels, 2):
        shared = {key for settings in levels[one].values() for key in _keys(settings)}
        shared &= {key for settings in levels[other].values() for key in _keys(settings)}
        if shared:
            raise ConfigError(
                f"{path}: the factors {one} and {other} both set {min(shared)}, so one would undo the other; "
                "write the combinations as cells"
            )
    return {
        ",".join(f"{factor}={level}" for factor, level in zip(levels, chosen, strict=True)): reduce(
            merged, (levels[factor][level] for factor, level in zip(levels, chosen, strict=True)), {}
        )
        for chosen in product(*levels.values())
    }


def _named(value: Any, path: Path, what: str) -> Settings:
    """A mapping whose keys can name folders; YAML reads the names `on` and `off` as true and false."""
    if not isinstance(value, dict) or not value:
        raise ConfigError(f"{path}: {what} must be a mapping of one name or more to settings, not {value}")
    names = {("off", "on")[key] if isinstance(key, bool) else str(key): inner for key, inner in value.items()}
    for name in names:
        if not NAME.fullmatch(name):
            raise ConfigError(f"{path}: {what} cannot be called {name!r}; use letters, digits and . , = + - _ only")
    return names


def _settings(value: Any, path: Path, where: str) -> Settings:
    """The settings of a cell or level; nothing stands for none."""
    if value is not None and not isinstance(value, dict):
        raise ConfigError(f"{path}: the settings of {where} must be a mapping as in a configuration, not {value}")
    if "seed" in (value or {}):
        raise ConfigError(f"{path}: {where} sets a seed of its own; list it under seeds")
    return dict(value or {})


def _keys(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def merged(settings: Settings, more: Settings) -> Settings:
    """Both, mapping by mapping; where they differ in anything else, `more` wins."""
    both = {**settings, **more}
    shared = (key for key in settings.keys() & more.keys() if isinstance(settings[key], dict))
    return both | {key: merged(settings[key], more[key]) for key in shared if isinstance(more[key], dict)}
