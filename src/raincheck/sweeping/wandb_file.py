"""W&B's sweep files: https://docs.wandb.ai/models/sweeps/define-sweep-configuration."""

import math
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raincheck.errors import ConfigError, RaincheckWarning
from raincheck.metrics import METRICS
from raincheck.plain_yaml import read_yaml
from raincheck.sweeping.definition import SCORES, Metric, Stopping, Sweep
from raincheck.sweeping.space import Parameter, grid_size, read_parameters

METHODS = ("grid", "random", "bayes")
# What decides which trials there are, and what they are; a sweep goes on only with the same.
DECISIVE = ("method", "metric", "parameters", "command", "program", "early_terminate")
OTHERS = ("name", "description", "project", "entity", "run_cap", "apiVersion", "kind", "controller")  # for W&B alone


def read_sweep(path: Path) -> Sweep:
    """Reads SWEEP.yaml. Without `metric`, the best trial is that of the highest `average/psnr_y`.

    Raises:
        ConfigError: if the file is missing or no YAML, or something in it is wrong or needs W&B's server.
    """
    content = read_yaml(path)
    if not isinstance(content, dict) or content.get("method") not in METHODS:
        said = content.get("method") if isinstance(content, dict) else content
        raise ConfigError(f"{path} is not a W&B sweep: its method must be {', '.join(METHODS)}, not {said}")
    if unknown := sorted(str(key) for key in set(content) - {*DECISIVE, *OTHERS}):
        raise ConfigError(f"{path}: {', '.join(unknown)} is unknown or needs W&B's server; leave it out")
    try:
        return _sweep(content)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _sweep(content: Mapping[str, Any]) -> Sweep:
    method = content["method"]
    parameters = read_parameters(content.get("parameters"), method)
    if method == "bayes" and "metric" not in content:
        raise ConfigError("method bayes needs a metric to learn from; add one")
    command = content.get("command")
    if not isinstance(command, list) or any(isinstance(word, dict | list | None) for word in command):
        raise ConfigError("command must be a list of words such as [${env}, raincheck, run, ..., ${args}]")
    return Sweep(
        method=method,
        metric=_metric(content.get("metric", {"name": Metric.name, "goal": "maximize"})),
        parameters=parameters,
        trials=_trials(content.get("run_cap"), method, parameters),
        stopping=_stopping(content["early_terminate"]) if "early_terminate" in content else None,
        command=tuple(str(word) for word in command),
        program=str(content.get("program", "")),
        decisive={key: content[key] for key in DECISIVE if key in content},
    )


def _metric(said: Any) -> Metric:
    known = {"name", "goal", "target", "impute", "impute_while_running"}
    if not isinstance(said, dict) or not isinstance(said.get("name"), str) or not set(said) <= known:
        raise ConfigError(f"metric must have a name, a goal and at most a target, not {said}")
    goal, target = said.get("goal", "minimize"), said.get("target")
    if said.get("impute", "worst") != "worst" or said.get("impute_while_running", "false") not in ("false", False):
        raise ConfigError("the metric can be imputed as worst only, and not while a trial runs; leave impute out")
    if goal not in ("minimize", "maximize"):
        raise ConfigError(f"the metric's goal must be minimize or maximize, not {goal}")
    if target is not None and (isinstance(target, bool) or not isinstance(target, int | float) or target != target):
        raise ConfigError(f"the metric's target must be a number, not {target!r}")
    metrics = "|".join(METRICS)
    if not re.fullmatch(rf"({'|'.join(SCORES)})/({metrics})|({metrics})/.+", said["name"]):
        raise ConfigError(
            f"runs report no {said['name']!r}; choose {', '.join(SCORES)} or a task's name with one of "
            f"{', '.join(METRICS)}: average/psnr_y, psnr_y/TASK"
        )
    if "goal" not in said and more_is_better(said["name"]):
        warnings.warn(
            f"more of {said['name']} is better, but the metric has no goal and W&B's is to minimize then; "
            "write goal: maximize if you mean it",
            RaincheckWarning,
            stacklevel=2,
        )
    return Metric(said["name"], goal == "maximize", target)


def more_is_better(name: str) -> bool:
    """Whether more is better of a metric that runs log by this name."""
    first, _, second = name.partition("/")
    if first in SCORES and first != "average":
        return first != "forgetting"
    return METRICS[second if first == "average" else first].higher_is_better


def _trials(cap: Any, method: str, parameters: tuple[Parameter, ...]) -> int:
    size = grid_size(parameters) if method == "grid" else math.inf
    if cap is None and size == math.inf:
        raise ConfigError(f"a sweep by {method} does not end by itself; add run_cap, the number of trials")
    if cap is not None and (type(cap) is not int or cap < 1):
        raise ConfigError(f"run_cap must be a whole number from 1 up, not {cap}")
    return int(min(size, math.inf if cap is None else cap))


def _stopping(said: Any) -> Stopping:
    """W&B's hyperband: comparisons after `min_iter * eta^k` values, or after `max_iter / eta^k`, k up to `s`.

    Of our runs the metric has one value a task. W&B's pages and its schema differ in what `strict` is by default; true,
    as in the schema.
    """
    numbers = dict(said) if isinstance(said, dict) else {}
    kind, strict, eta = numbers.pop("type", None), numbers.pop("strict", True), numbers.pop("eta", 3)
    if kind != "hyperband" or type(strict) is not bool:
        raise ConfigError("early_terminate must be of the type hyperband, and strict true or false")
    whole = all(type(number) is int and number >= 1 for number in (eta, *numbers.values()))
    if set(numbers) not in ({"min_iter"}, {"max_iter", "s"}) or not whole or eta < 2:
        raise ConfigError(
            "early_terminate needs min_iter, or max_iter and s, and eta (3 by default), as whole numbers, eta from 2 up"
        )
    if "min_iter" in numbers:
        return Stopping(numbers["min_iter"], eta, None, strict)
    borders = [numbers["max_iter"] // eta**k for k in range(1, numbers["s"] + 1)]
    if not borders[0]:
        raise ConfigError(f"early_terminate compares after {numbers['max_iter']} / {eta} tasks, which is none")
    return Stopping([border for border in borders if border][-1], eta, borders[0], strict)
