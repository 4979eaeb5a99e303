"""What a grid's file calls cells, factors and levels, and the settings of each."""

import re
from pathlib import Path
from typing import Any

from raincheck.ablation.cells import Settings, every_combination, merged, one_at_a_time
from raincheck.errors import ConfigError
from raincheck.plain_yaml import read_yaml

NAME = re.compile(r"\w[\w.,=+-]*")  # names become folders


def read_cells(content: Settings, path: Path) -> dict[str, Settings]:
    """The cells of a grid by name: those that it lists, and those that its factors come to.

    Args:
        content: of the grid's file; see `raincheck.ablation.grid.read_grid`.
        path: of the file, for messages, and whose folder settings in other files are relative to.

    Raises:
        ConfigError: if they are not named or combined as they should be, or one has no settings.
    """
    one_by_one = "from" in content
    if one_by_one != ("cells" in content and "factors" in content) or not {"cells", "factors"} & set(content):
        raise ConfigError(f"{path} needs cells, or factors, or both and from, which names one of the cells")
    cells = {
        name: read_settings(settings, path, f"cell {name}")
        for name, settings in (_named(content["cells"], path, "cells") if "cells" in content else {}).items()
    }
    if one_by_one and str(content["from"]) not in cells:
        raise ConfigError(f"{path}: from names no cell {content['from']!r}; it has {', '.join(cells)}")
    factors = {
        factor: {
            level: read_settings(settings, path, f"{factor}={level}")
            for level, settings in _named(levels, path, f"factor {factor}").items()
        }
        for factor, levels in (_named(content["factors"], path, "factors") if "factors" in content else {}).items()
    }
    try:
        if one_by_one:
            return {**cells, **one_at_a_time(cells[str(content["from"])], factors)}
        return cells or every_combination(factors)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _named(value: Any, path: Path, what: str) -> Settings:
    """A mapping whose keys can name folders; YAML reads the names `on` and `off` as true and false."""
    if not isinstance(value, dict) or not value:
        raise ConfigError(f"{path}: {what} must be a mapping of one name or more to settings, not {value}")
    names = [("off", "on")[key] if isinstance(key, bool) else str(key) for key in value]
    for name in names:
        if not NAME.fullmatch(name):
            raise ConfigError(f"{path}: {what} cannot be called {name!r}; use letters, digits and . , = + - _ only")
        if names.count(name) > 1:
            raise ConfigError(f"{path}: {what} has two that are called {name!r}; rename one")
    return dict(zip(names, value.values(), strict=True))


def read_settings(value: Any, path: Path, where: str) -> Settings:
    """The settings of a cell or level, over those of the file that they name; nothing stands for none.

    Raises:
        ConfigError: if they are no mapping, set a seed, or the file cannot be read.
    """
    if value is not None and not isinstance(value, dict):
        raise ConfigError(f"{path}: the settings of {where} must be a mapping as in a configuration, not {value}")
    own = dict(value or {})
    if "file" in own:
        try:
            below = read_yaml(path.parent / str(own.pop("file")))
            own = merged(read_settings(below, path, where), own)
        except ConfigError as error:
            raise ConfigError(f"{path}: {where}: {error}") from None
    if "seed" in own:
        raise ConfigError(f"{path}: {where} sets a seed of its own; list it under seeds")
    return own
