"""The cells of a grid: settings that are laid over one another, and the ways in which factors are combined."""

from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import combinations, product
from typing import Any

from raincheck.errors import ConfigError

Settings = dict[str, Any]
Levels = Mapping[str, Mapping[str, Settings]]  # factor: level: settings


def merged(settings: Settings, more: Settings) -> Settings:
    """Both, mapping by mapping; where they differ in anything else, `more` wins.

    A mapping over a list of classes, such as `plugins: {RainReview: {budget: 0}, Distillation: null}`, changes the
    arguments of the entries that have these class names, and leaves out those that it gives null.

    Raises:
        ConfigError: if the list has no entry of such a class.
    """
    both = {**settings, **more}
    for key in settings.keys() & more.keys():
        old, new = settings[key], more[key]
        if isinstance(old, dict) and isinstance(new, dict):
            both[key] = merged(old, new)
        elif isinstance(old, list) and isinstance(new, dict):
            both[key] = _changed(key, old, new)
    return both


def grounded(settings: Settings, below: Settings) -> Settings:
    """Settings whose changes of single entries of a list are made, where the list is one of `below`.

    Raises:
        ConfigError: if the list has no such entry.
    """
    done = dict(settings)
    for key, value in settings.items():
        if isinstance(value, dict) and isinstance(below.get(key), list):
            done[key] = _changed(key, below[key], value)
        elif isinstance(value, dict) and isinstance(below.get(key), dict):
            done[key] = grounded(value, below[key])
    return done


def _changed(key: str, classes: list[Any], changes: Settings) -> list[Any]:
    names = [_class_name(entry) for entry in classes]
    if unknown := [name for name in changes if name not in names]:
        raise ConfigError(f"{key} has no {unknown[0]} to change; it has {', '.join(names) or 'nothing'}")
    kept = [entry for entry, name in zip(classes, names, strict=True) if changes.get(name, {}) is not None]
    return [_with_arguments(entry, changes.get(_class_name(entry), {})) for entry in kept]


def _class_name(entry: Any) -> str:
    path = entry.get("class_path", "") if isinstance(entry, dict) else entry
    return str(path).rpartition(".")[2]


def arguments(classes: Any) -> dict[str, Settings]:
    """What settings say of classes, in a list of them or in a mapping over one: their arguments by class name."""
    if isinstance(classes, dict):
        return {name: said or {} for name, said in classes.items()}
    named = [entry for entry in classes or [] if isinstance(entry, dict)]
    return {_class_name(entry): entry.get("init_args") or {} for entry in named}


def _with_arguments(entry: Any, arguments: Settings) -> Any:
    if not arguments:
        return entry
    whole = entry if isinstance(entry, dict) else {"class_path": entry}
    return {**whole, "init_args": merged(whole.get("init_args") or {}, arguments)}


def every_combination(factors: Levels) -> dict[str, Settings]:
    """Every combination of one level of each factor, named `factor=level,factor=level`.

    Raises:
        ConfigError: if two factors set the same thing.
    """
    for one, other in combinations(factors, 2):
        mine, theirs = ({key for settings in factors[f].values() for key in _keys(settings)} for f in (one, other))
        shared = [max(a, b, key=len) for a in mine for b in theirs if _within(a, b) or _within(b, a)]
        if shared:
            raise ConfigError(
                f"the factors {one} and {other} both set {min(shared)}, so one would undo the other; "
                "write the combinations as cells"
            )
    return {
        ",".join(f"{factor}={level}" for factor, level in zip(factors, chosen, strict=True)): reduce(
            merged, (factors[factor][level] for factor, level in zip(factors, chosen, strict=True)), {}
        )
        for chosen in product(*factors.values())
    }


def _within(key: str, above: str) -> bool:
    """Whether one key is another, or a part of what the other sets."""
    return f"{key}.".startswith(f"{above}.")


def one_at_a_time(start: Settings, factors: Levels) -> dict[str, Settings]:
    """Each level of each factor laid over `start`, all other factors being as they are there: `factor=level`.

    Raises:
        ConfigError: naming the level that changes what is not there.
    """
    cells = {}
    for factor, levels in factors.items():
        for level, settings in levels.items():
            try:
                cells[f"{factor}={level}"] = merged(start, settings)
            except ConfigError as error:
                raise ConfigError(f"{factor}={level}: {error}") from None
    return cells


def _keys(settings: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
