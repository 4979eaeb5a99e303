"""Whether scores can be compared: what two runs must have in common, noted in each run's report."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from raincheck.defaults import without_defaults

Setting = Mapping[str, Any]
BUDGET = ("crop", "steps")  # of the stream: how much there is to learn from
RECIPE = ("loss", "optimizer", "plugins")  # what a method may choose
PLACE = ("accelerator", "devices", "strategy", "num_nodes")  # of the trainer: where, and not what


def setting(config: Mapping[str, Any], tasks: Sequence[str], files: Mapping[str, str]) -> dict[str, Any]:
    """What decides whether a run's scores can be compared with another's, as report.json holds it.

    Args:
        config: a resolved configuration, as config.yaml holds it; the classes that it names are imported.
        tasks: names in learning order: that of `config`'s tasks, unless its `stream.order` says otherwise.
        files: by task, a digest of its files' contents.

    Returns:
        `data.TASK` and `files.TASK`, digests that depend on no machine's folders; `network.*`, `stream.steps`,
        `stream.crop`, `batch`, `weights` and `trainer`, as they are; and `recipe`, a digest of all that a method may
        choose.
    """
    stream = config["stream"]
    learned = [stream["tasks"][place] for place in stream.get("order") or range(len(stream["tasks"]))]
    data = {f"data.{name}": task_digest(task) for name, task in zip(tasks, learned, strict=True)}
    budget = {f"stream.{key}": stream[key] for key in BUDGET} | {key: config.get(key) for key in ("batch", "weights")}
    budget |= dict(_flat("stream.augment", stream.get("augment") or {}))
    trainer = {key: value for key, value in (config.get("trainer") or {}).items() if key not in PLACE}
    recipe = digest(without_defaults({key: config.get(key) for key in RECIPE} | {"learn": stream.get("learn")}))
    contents = {f"files.{task}": found for task, found in files.items()}
    return {
        **data,
        **contents,
        **dict(_flat("network", config["network"])),
        **budget,
        "trainer": trainer,
        "recipe": recipe,
    }


def task_digest(task: Any) -> str:
    """A short name for a task's configuration, the same wherever its files lie and however much it says of defaults."""
    return digest(_placeless(without_defaults(task)))


def data_of(one: Setting) -> frozenset[str]:
    """The digests of all tasks' configurations, whatever the tasks are called."""
    return frozenset(value for key, value in one.items() if key.startswith("data."))


def digest(value: Any) -> str:
    """A short name for a value of primitives: equal for equal ones, whatever the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:12]


def other_data(one: Setting, other: Setting) -> list[str]:
    """Tasks of both that are about other videos, rains or test frames: their scores mean different things."""
    return [key.removeprefix("data.") for key in _differing(one, other) if key.startswith("data.")]


def other_terms(one: Setting, other: Setting) -> list[str]:
    """In what else the first differs, such as `stream.steps (60, not 600)`; what a method may choose does not count.

    Scores on the same data can be compared all the same, but the method is not the only thing that may explain them.
    """
    keys = [key for key in _differing(one, other) if key != "recipe" and not key.startswith("data.")]
    return [key if key.startswith("files.") else f"{key} ({one[key]}, not {other[key]})" for key in keys]


def other_method(one: Setting, other: Setting) -> bool:
    """Whether the two were told to learn differently, as far as both say."""
    return "recipe" in _differing(one, other)


def _differing(one: Setting, other: Setting) -> list[str]:
    """What both tell, and tell differently; reports of older versions tell less."""
    return [key for key in one if key in other and one[key] != other[key]]


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        return [(prefix, value)]
    return [entry for key, inner in value.items() for entry in _flat(f"{prefix}.{key}", inner)]


def _placeless(value: Any) -> Any:
    """A configuration without what says where on this machine the files are."""
    if isinstance(value, dict):
        return {key: _placeless(inner) for key, inner in value.items() if key != "root"}
    if isinstance(value, list):
        return [_placeless(inner) for inner in value]
    return PurePath(value).name if isinstance(value, str) and PurePath(value).is_absolute() else value
