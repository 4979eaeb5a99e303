"""A run's name, the same on every machine: a hash of the options that decide its numbers."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from raincheck.config import RunConfig, StreamConfig
from raincheck.defaults import defaults, without_defaults

# Options that change no number: they may differ between the start of a run and its continuation, and name no run.
FREE = ("workers", "tracking", "save_every", "stream.held")


def identity(config: Mapping[str, Any]) -> str:
    """What names a run wherever it is run: a hash of its resolved configuration, without what changes no number.

    It does not say where data lie, which differs between machines. What is as its class has it by default is left out
    too, so that a run keeps its name when a class is given another argument.

    Args:
        config: the content of a dumped configuration.
    """
    usual = dict(flat({**defaults(RunConfig), "stream": defaults(StreamConfig)}))
    said = {
        key: value
        for key, value in flat(without_defaults(config))
        if not key.startswith((*FREE, "stream.root"))
        and (key not in usual or value != usual[key])
        and (value not in (None, {}, []) or ".init_args." in key)  # there it takes the place of the class's default
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
