"""What an Avalanche EvaluationPlugin has found so far, as tensors and primitives: its metrics have no `state_dict`.

Nothing here imports Avalanche until a checkpoint names a class of its metrics.
"""

import importlib
from typing import Any

from raincheck.checkpoint import foreign
from raincheck.errors import ConfigError

METRICS = "avalanche.evaluation."  # only objects of this package, and of classes derived from it, are taken apart
SEQUENCES = {"list": list, "tuple": tuple, "set": set}
RESULTS = ("all_metric_results", "last_metric_results")


def evaluator_state(evaluator: Any) -> dict[str, Any]:
    """Metrics in the middle of their work, and all results so far."""
    return {
        "kinds": [type(metric).__qualname__ for metric in evaluator.metrics],
        "metrics": [_taken_apart(metric) for metric in evaluator.metrics],
        **{name: _taken_apart(getattr(evaluator, name)) for name in RESULTS},
    }


def restore_evaluator(evaluator: Any, state: dict[str, Any]) -> None:
    """Puts an evaluator of the same metrics into the state that `evaluator_state` gave.

    Raises:
        ConfigError: if its metrics are others.
    """
    kinds = [type(metric).__qualname__ for metric in evaluator.metrics]
    if kinds != state["kinds"]:
        raise ConfigError(f"the checkpoint is of the metrics {state['kinds']}, not of {kinds}; use another folder")
    for metric, parts in zip(evaluator.metrics, state["metrics"], strict=True):
        _put_together(parts, metric)
    for name in RESULTS:
        setattr(evaluator, name, _put_together(state[name], getattr(evaluator, name)))


def _taken_apart(value: Any) -> list[Any]:
    """A value as a kind and its parts; what is neither plain nor of the metrics is left as it is."""
    if foreign(value) is None:
        return ["plain", value]
    if isinstance(value, dict):
        return ["dict", [[key, _taken_apart(inner)] for key, inner in value.items() if foreign(key) is None]]
    if type(value).__name__ in SEQUENCES:
        return [type(value).__name__, [_taken_apart(inner) for inner in value]]
    kind = type(value)
    if any(base.__module__.startswith(METRICS) for base in kind.__mro__):
        parts = {name: _taken_apart(inner) for name, inner in vars(value).items()}
        return ["object", kind.__module__, kind.__qualname__, parts]
    return ["left"]


def _put_together(parts: list[Any], present: Any) -> Any:
    """The value that was taken apart, in place of `present` or, for dictionaries and metrics, in it."""
    kind = parts[0]
    if kind == "plain":
        return parts[1]
    if kind == "left":
        return present
    if kind == "dict":
        target = present if isinstance(present, dict) else {}
        before = dict(target)
        target.clear()
        target.update({key: _put_together(inner, before.get(key)) for key, inner in parts[1]})
        return target
    if kind in SEQUENCES:
        there = list(present) if type(present).__name__ == kind else []
        pairs = zip(parts[1], there + [None] * len(parts[1]), strict=False)
        return SEQUENCES[kind](_put_together(inner, one) for inner, one in pairs)
    return _object(parts[1], parts[2], parts[3], present)


def _object(module: str, name: str, parts: dict[str, Any], present: Any) -> Any:
    """The parts in an object of the same class that is there, else in a new one if the class is Avalanche's own."""
    same = (type(present).__module__, type(present).__qualname__) == (module, name)
    if not same and not module.startswith(METRICS):
        raise ConfigError(
            f"the checkpoint names {module}.{name}, which is not a metric of Avalanche's; use another folder"
        )
    cls: Any = type(present) if same else getattr(importlib.import_module(module), name)
    target = present if same else cls.__new__(cls)
    vars(target).update({key: _put_together(inner, vars(target).get(key)) for key, inner in parts.items()})
    return target
