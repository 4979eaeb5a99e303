"""The parameters of a sweep: what may be chosen, and what W&B's agent would be told was chosen."""

import itertools
import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raincheck.errors import ConfigError
from raincheck.sweeping.distributions import Quantile, quantile

MOST = 100_000  # values of one parameter in a grid, which lists them
Point = dict[str, float]  # what was chosen, by a parameter's name: the index of an option, or a quantile in [0, 1]


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        path: the keys that lead to it; more than one below `parameters` of `parameters`.
        options: the values to choose from, one of a constant; empty if a quantile is chosen instead.
        quantile: the value at a quantile.
    """

    path: tuple[str, ...]
    options: tuple[Any, ...] = ()
    quantile: Quantile | None = None

    @property
    def name(self) -> str:
        """All keys, with points between them."""
        return ".".join(self.path)

    @property
    def free(self) -> bool:
        """Whether there is something to choose."""
        return self.quantile is not None or len(self.options) > 1

    def value(self, point: Point) -> Any:
        """What was chosen."""
        if self.quantile is not None:
            return self.quantile(point[self.name])
        return self.options[int(point.get(self.name, 0))]


def values(parameters: Sequence[Parameter], point: Point) -> dict[str, Any]:
    """What was chosen, by the parameters' full names."""
    return {parameter.name: parameter.value(point) for parameter in parameters}


def arguments(parameters: Sequence[Parameter], point: Point) -> dict[str, Any]:
    """What was chosen as W&B hands it to an agent: nested parameters are one mapping."""
    whole: dict[str, Any] = {}
    for parameter in parameters:
        inner = whole
        for key in parameter.path[:-1]:
            inner = inner.setdefault(key, {})
        inner[parameter.path[-1]] = parameter.value(point)
    return whole


def grid(parameters: Sequence[Parameter]) -> Iterator[Point]:
    """All combinations in W&B's order: the last parameter changes fastest."""
    free = [parameter for parameter in parameters if parameter.free]
    for indices in itertools.product(*(range(len(parameter.options)) for parameter in free)):
        yield {parameter.name: index for parameter, index in zip(free, indices, strict=True)}


def grid_size(parameters: Sequence[Parameter]) -> int:
    """How many combinations there are."""
    return math.prod(len(parameter.options) for parameter in parameters)


def read_parameters(content: Any, method: str, above: tuple[str, ...] = ()) -> tuple[Parameter, ...]:
    """Reads the mapping `parameters` of a sweep file.

    Args:
        content: as read from YAML.
        method: `grid`, which needs all values to be listed, or another.
        above: the keys that lead to a nested mapping.

    Raises:
        ConfigError: naming the parameter.
    """
    place = f"parameter {'.'.join(above)}: " if above else ""
    if not isinstance(content, dict) or not content:
        raise ConfigError(f"{place}parameters must be a mapping of names to what they may be, not {content}")
    found: list[Parameter] = []
    for key, said in sorted(content.items(), key=lambda item: str(item[0])):
        path = (*above, str(key))
        if isinstance(said, dict) and set(said) == {"parameters"}:
            found += read_parameters(said["parameters"], method, path)
            continue
        try:
            found.append(_parameter(path, said, method))
        except ConfigError as error:
            raise ConfigError(f"parameter {'.'.join(path)}: {error}") from None
    names = Counter(parameter.name for parameter in found)  # a.b, and b within a: what is chosen is told by name
    if twice := next((name for name, times in names.items() if times > 1), None):
        raise ConfigError(f"parameter {twice} is there twice; leave one out")
    return tuple(found)


def _parameter(path: tuple[str, ...], said: Any, method: str) -> Parameter:
    if not isinstance(said, dict):
        raise ConfigError(f"write `value: {said}` or `values: [...]` below it")
    rest = {str(key): value for key, value in said.items()}
    kind = str(rest.pop("distribution", None) or _kind(rest))
    if kind == "constant" and set(rest) == {"value"}:
        return Parameter(path, _listed([rest["value"]]))
    if kind == "categorical" and set(rest) == {"values"}:
        return Parameter(path, _listed(rest["values"]))
    if kind == "categorical_w_probabilities" and set(rest) == {"values", "probabilities"} and method != "grid":
        return Parameter(path, quantile=_weighted(_listed(rest["values"]), rest["probabilities"]))
    if kind.startswith(("constant", "categorical")):
        if (needed := "value" if kind == "constant" else "values") not in rest:
            raise ConfigError(f"{kind} needs {needed}; add it")
        raise ConfigError(f"{kind} cannot have {', '.join(rest)} in a sweep by {method}; see W&B's sweep configuration")
    drawn = quantile(kind, rest)
    return Parameter(path, _every(kind, rest)) if method == "grid" else Parameter(path, quantile=drawn)


def _kind(said: Mapping[str, Any]) -> str:
    """The distribution that W&B takes where none is named."""
    if "value" in said:
        return "constant"
    if "values" in said:
        return "categorical_w_probabilities" if "probabilities" in said else "categorical"
    if {"min", "max"} <= set(said):
        whole = all(isinstance(said[key], int) for key in ("min", "max"))
        return "int_uniform" if whole else "uniform"
    raise ConfigError("it has no value, no values, no min and max, and no distribution; give one of them")


def _listed(options: Any) -> tuple[Any, ...]:
    if not isinstance(options, list) or not options:
        raise ConfigError(f"values must be a list of one or more, not {options}")
    for option in options:
        try:
            json.dumps(option, allow_nan=False)  # as W&B hands it on
        except (TypeError, ValueError):
            raise ConfigError(f"{option} is nothing that JSON can hold; put it in quotes, as text") from None
    return tuple(options)


def _weighted(options: tuple[Any, ...], weights: Any) -> Quantile:
    """The option whose share of [0, 1] a quantile falls into."""
    fit = isinstance(weights, list) and len(weights) == len(options)
    if not fit or not all(isinstance(weight, int | float) and weight >= 0 for weight in weights):
        raise ConfigError(f"probabilities must be {len(options)} numbers, as many as values, not {weights}")
    if not math.isclose(sum(weights), 1.0, rel_tol=1e-5):
        raise ConfigError(f"probabilities must add up to 1, not {sum(weights)}")
    edges = list(itertools.accumulate(weights))
    return lambda probability: options[min(bisect_right(edges, probability), len(options) - 1)]


def _every(kind: str, said: Mapping[str, Any]) -> tuple[Any, ...]:
    """All values of a distribution that has few: as W&B counts them, `q_uniform` without its `max`."""
    if kind not in ("int_uniform", "q_uniform"):
        raise ConfigError(f"a grid cannot list all values of {kind}; give values, or choose method random or bayes")
    low, high, step = said["min"], said["max"], said.get("q", 1)
    if (high - low) / step >= MOST:
        raise ConfigError(f"a grid cannot list more than {MOST} values; give fewer, or choose method random or bayes")
    if kind == "int_uniform":
        return tuple(range(low, high + 1))
    return tuple(low + step * index for index in range(math.ceil((high - low) / step)))
