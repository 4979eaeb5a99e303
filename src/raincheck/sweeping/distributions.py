"""The distributions of W&B's sweep files, by their names there, as quantile functions.

A search in which every parameter is a quantile in [0, 1] draws from each distribution exactly, whichever it is, and a
model of the quantiles has the distribution as its prior. W&B's own `sweeps` package does the same.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scipy import stats

from raincheck.errors import ConfigError

Numbers = Mapping[str, float]
Quantile = Callable[[float], Any]
LARGEST = 1e300  # number of which double precision still knows differences
EDGE = 1e-9  # nearest to 0 and 1, where a normal distribution is infinite


@dataclass(frozen=True)
class Shape:
    """A family of distributions.

    Attributes:
        needed: its numbers that have no default.
        defaults: of its other numbers.
        frozen: scipy's distribution for given numbers.
    """

    needed: tuple[str, ...]
    defaults: Numbers
    frozen: Callable[..., Any]


def _range(frozen: Callable[[float, float], Any]) -> Shape:
    return Shape(("min", "max"), {}, lambda min, max: frozen(min, max))


SHAPES: dict[str, Shape] = {
    "int_uniform": _range(lambda low, high: stats.randint(low, high + 1)),
    "uniform": _range(lambda low, high: stats.uniform(low, high - low)),
    # Of the natural logarithm of the value; deprecated by W&B for the next.
    "log_uniform": _range(lambda low, high: stats.loguniform(math.exp(low), math.exp(high))),
    "log_uniform_values": _range(stats.loguniform),
    # log(1/x) is uniform, and so is log(x).
    "inv_log_uniform": _range(lambda low, high: stats.loguniform(math.exp(-high), math.exp(-low))),
    "inv_log_uniform_values": _range(stats.loguniform),
    "normal": Shape((), {"mu": 0.0, "sigma": 1.0}, lambda mu, sigma: stats.norm(mu, sigma)),
    "log_normal": Shape((), {"mu": 0.0, "sigma": 1.0}, lambda mu, sigma: stats.lognorm(sigma, scale=math.exp(mu))),
    "beta": Shape((), {"a": 1.0, "b": 1.0}, lambda a, b: stats.beta(a, b)),
}
ROUNDED = ("uniform", "log_uniform", "log_uniform_values", "normal", "log_normal", "beta")  # q_uniform and so on
NAMES = (*SHAPES, *(f"q_{name}" for name in ROUNDED))
POSITIVE = {"sigma", "a", "b", "q"}


def quantile(name: str, given: Numbers) -> Quantile:
    """The quantile function of a distribution.

    Args:
        name: W&B's name of it.
        given: its numbers, such as `min` and `max`.

    Raises:
        ConfigError: if there is no such distribution, or a number is missing, unknown or out of range; without the
            name of the parameter, which the caller knows.
    """
    if name not in NAMES:
        raise ConfigError(f"there is no distribution {name}; choose one of {', '.join(NAMES)}")
    shape = SHAPES[name.removeprefix("q_")]
    # W&B's default of q is 1.0, but its server writes 5.0 as 5, so that its agents hand on whole numbers.
    defaults = {**shape.defaults, **({"q": 1} if name.startswith("q_") else {})}
    allowed = [*shape.needed, *defaults]
    if unfit := [*sorted(set(given) - set(allowed)), *(key for key in shape.needed if key not in given)]:
        raise ConfigError(f"{name} takes {', '.join(allowed)}; correct {', '.join(unfit)}")
    numbers = {**defaults, **given}
    _check(name, numbers)
    step = numbers.pop("q", None)
    try:
        frozen = shape.frozen(**numbers)
    except OverflowError:
        raise ConfigError(f"{name} takes logarithms, of which {numbers} are too large") from None

    def value(probability: float) -> Any:
        drawn = float(frozen.ppf(min(max(probability, EDGE), 1 - EDGE)))
        if name == "int_uniform":
            return int(drawn)
        if step is None:
            return drawn
        rounded = round(drawn / step) * step
        return rounded if isinstance(step, int) else float(rounded)

    return value


def _check(name: str, numbers: Numbers) -> None:
    for key, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= LARGEST:
            hint = "; in YAML write 1.0e-4 for 1e-4" if isinstance(number, str) else ""
            raise ConfigError(f"{key} must be a number, not {number!r}{hint}")
        if key in POSITIVE and number <= 0:
            raise ConfigError(f"{key} must be more than 0, not {number}")
        if name == "int_uniform" and not isinstance(number, int):
            raise ConfigError(f"{key} must be a whole number, not {number}")
    if "min" in numbers and numbers["min"] >= numbers["max"]:
        raise ConfigError(f"min {numbers['min']} must be less than max {numbers['max']}")
    if name.endswith("_values") and numbers["min"] <= 0:
        raise ConfigError(f"min must be more than 0, not {numbers['min']}")
