"""The grid of an ablation: which settings are compared, in which orders of tasks, and over which seeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raincheck.ablation.cells import Settings, merged
from raincheck.ablation.naming import read_cells, read_settings
from raincheck.errors import ConfigError
from raincheck.plain_yaml import read_yaml

KEYS = ("extends", "title", "base", "options", "settings", "cells", "from", "factors", "orders", "seeds", "against")
Order = tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """A grid file's content.

    Attributes:
        title: of tables and page.
        base: configuration files of all cells.
        options: command-line options of all cells, such as `["--stream.steps", "150"]`; a cell's own settings win.
        cells: by name, the settings that are laid over the base.
        orders: in which the tasks are learned: positions in the stream's list of tasks; None is the list's own.
        seeds: of which each cell is run in each order.
        against: the cell that tables compare the others with; None is the best.
    """

    title: str
    base: tuple[Path, ...]
    options: tuple[str, ...]
    cells: Mapping[str, Settings]
    orders: tuple[Order | None, ...]
    seeds: tuple[int, ...]
    against: str | None = None


def read_grid(path: Path) -> Grid:
    """Reads GRID.yaml.

    It holds `title`, `base` (configuration files, relative to the grid file), `options`, `settings` (of all cells, over
    the base; a cell's own win), `seeds` (default `[0]`), `orders` (lists of positions in the stream's tasks, such as
    `[[0, 1, 2], [2, 0, 1]]`), and one of

    - `cells`, name: settings as in a configuration, over those of the configuration that `file` names if there is one;
    - `factors`, factor: level: settings, of which every combination of levels is a cell;
    - all of `cells`, `from` (the name of one of them) and `factors`: the cells, and each level of each factor laid over
      the one cell, one factor at a time.

    `against` names the cell that all others are compared with: by default that of `from`, or else the best.

    What another grid of the same folder says, which `extends` names, holds too, key by key where this one is silent.
    Lists are replaced as a whole, but a mapping over a list of classes changes arguments of single entries; see
    `raincheck.ablation.cells.merged`.

    Raises:
        ConfigError: if the file is missing, no YAML, or not such a grid.
    """
    content = _content(path)
    base, options = _texts(content, "base", path), _texts(content, "options", path)
    files = tuple(path.parent / file for file in base)
    orders = _orders(content["orders"], path) if "orders" in content else (None,)
    common = read_settings(content.get("settings"), path, "all cells")
    cells = {name: merged(common, own) for name, own in read_cells(content, path).items()}
    title, seeds, against = str(content.get("title", path.stem)), _seeds(content, path), _against(content, cells, path)
    return Grid(title, files, options, cells, orders, seeds, against)


def _content(path: Path) -> Settings:
    content = read_yaml(path)
    if not isinstance(content, dict) or not set(content) <= set(KEYS):
        wrong = sorted(str(key) for key in set(content) - set(KEYS)) if isinstance(content, dict) else ["no mapping"]
        raise ConfigError(f"{path} is not a grid ({', '.join(wrong)}); its keys are {', '.join(KEYS)}")
    if "extends" not in content:
        return content
    if (name := str(content["extends"])) != Path(name).name or name == path.name:
        raise ConfigError(f"{path} extends {name}, which is not another file in its folder; name one")
    other = read_yaml(path.parent / name)
    if isinstance(other, dict) and "extends" in other:
        raise ConfigError(f"{path} extends {name}, which itself extends another; name a grid that stands alone")
    return {**_content(path.parent / name), **content}


def _texts(content: Settings, key: str, path: Path) -> tuple[str, ...]:
    listed = content.get(key, [])
    if not isinstance(listed, list) or any(isinstance(item, dict | list | None) for item in listed):
        raise ConfigError(f"{path}: {key} must be a list of texts, not {listed}")
    return tuple(str(item) for item in listed)


def _seeds(content: Settings, path: Path) -> tuple[int, ...]:
    seeds = content.get("seeds", [0])
    if not isinstance(seeds, list) or not seeds or any(type(seed) is not int or seed < 0 for seed in seeds):
        raise ConfigError(f"{path}: seeds must be a list of whole numbers from 0 up, not {seeds}")
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"{path}: the seeds {seeds} are not all different; name each once")
    return tuple(seeds)


def _against(content: Settings, cells: Settings, path: Path) -> str | None:
    against = content.get("against", content.get("from"))
    if against is not None and str(against) not in cells:
        raise ConfigError(f"{path}: against names no cell {against!r}; it has {', '.join(cells)}")
    return None if against is None else str(against)


def _orders(orders: Any, path: Path) -> tuple[Order, ...]:
    lists = isinstance(orders, list) and orders and all(isinstance(order, list) and order for order in orders)
    if not lists or not all(_permutes(order, len(orders[0])) for order in orders) or _twice(orders):
        raise ConfigError(
            f"{path}: orders must be different lists of the positions 0, 1, ... of the stream's tasks, such as "
            f"[[0, 1, 2], [2, 0, 1]], not {orders}"
        )
    return tuple(tuple(order) for order in orders)


def _permutes(order: list[Any], tasks: int) -> bool:
    return all(type(position) is int for position in order) and sorted(order) == list(range(tasks))


def _twice(orders: list[Any]) -> bool:
    return any(order in orders[:i] for i, order in enumerate(orders))
