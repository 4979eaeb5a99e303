"""The defaults of classes that a configuration names, and a configuration without them."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any


def without_defaults(value: Any) -> Any:
    """A part of a configuration without the arguments that are as their class has them by default.

    A dumped configuration says every argument. Without those, what is learned of it (a run's name, whether two runs
    were about the same data) stays the same when a class is given another argument.

    Args:
        value: of a configuration that was parsed already: the classes that it names are imported.
    """
    if isinstance(value, Mapping) and isinstance(value.get("class_path"), str):
        module, _, name = value["class_path"].rpartition(".")
        usual = defaults(getattr(importlib.import_module(module), name))
        given = {key: without_defaults(inner) for key, inner in (value.get("init_args") or {}).items()}
        own = {key: inner for key, inner in given.items() if key not in usual or usual[key] != inner}
        return {"class_path": value["class_path"], "init_args": own}
    if isinstance(value, Mapping):
        return {key: without_defaults(inner) for key, inner in value.items()}
    return [without_defaults(inner) for inner in value] if isinstance(value, list) else value


def defaults(kind: Callable[..., Any]) -> dict[str, Any]:
    """The arguments that may be left out, as a dumped configuration has them."""
    parameters = inspect.signature(kind).parameters.values()
    usual = {one.name: one.default for one in parameters if one.default is not one.empty}
    if is_dataclass(kind):
        usual |= {one.name: one.default_factory() for one in fields(kind) if one.default_factory is not MISSING}
    return {name: asdict(value) if is_dataclass(value) else value for name, value in usual.items()}  # type: ignore[arg-type]
