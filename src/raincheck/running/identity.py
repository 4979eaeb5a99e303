"""A run's name, the same on every machine: a hash of the options that decide its numbers."""

import hashlib
import importlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any

from raincheck.config import RunConfig, StreamConfig

# Options that change no number: they may differ between the start of a run and its continuation, and name no run.
FREE = ("workers", "tracking", "save_every", "stream.held")


def identity(config: Mapping[str, Any]) -> str:
    """What names a run wherever it is run: a hash of its resolved configuration, without what changes no number.

    It does not say where data lie, which differs between machines. What is as its class has it by default is left out
    too, so that a run keeps its name when a class is given another argument.

    Args:
        config: the content of a dumped configuration.
    """
    defaults = dict(flat({**_defaults(RunConfig), "stream": _defaults(StreamConfig)}))
    said = {
        key: value
        for key, value in flat(_essential(config))
        if not key.startswith((*FREE, "stream.root")) and value != defaults.get(key) and value not in (None, {}, [])
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """The options of a dumped configuration, one by one, by dotted name."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from flat(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from flat(inner, f"{key}.{index}")
    else:
        yield key, value


def _essential(value: Any) -> Any:
    """A part of a configuration without the arguments that are as their class has them by default."""
    if isinstance(value, dict) and isinstance(value.get("class_path"), str):
        module, _, name = value["class_path"].rpartition(".")
        usual = _defaults(getattr(importlib.import_module(module), name))
        given = {key: _essential(inner) for key, inner in (value.get("init_args") or {}).items()}
        chosen = {key: inner for key, inner in given.items() if key not in usual or usual[key] != inner}
        return {"class_path": value["class_path"], "init_args": chosen}
    if isinstance(value, Mapping):
        return {key: _essential(inner) for key, inner in value.items()}
    return [_essential(inner) for inner in value] if isinstance(value, list) else value


def _defaults(kind: Callable[..., Any]) -> dict[str, Any]:
    """The arguments that may be left out, as a dumped configuration has them."""
    parameters = inspect.signature(kind).parameters.values()
    usual = {one.name: one.default for one in parameters if one.default is not one.empty}
    if is_dataclass(kind):
        usual |= {one.name: one.default_factory() for one in fields(kind) if one.default_factory is not MISSING}
    return {name: asdict(value) if is_dataclass(value) else value for name, value in usual.items()}  # type: ignore[arg-type]
