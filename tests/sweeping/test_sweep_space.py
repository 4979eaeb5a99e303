"""The parameters of a sweep: distributions by closed forms, grids by W&B's order."""

import math
from collections import Counter
from datetime import date
from typing import Any

import pytest

from raincheck.errors import ConfigError
from raincheck.sweeping.space import arguments, grid, grid_size, read_parameters, values

NORMAL_975 = 1.959964  # any table of the normal distribution


def at(said: dict[str, Any], probability: float) -> Any:
    [parameter] = read_parameters({"p": said}, "random")
    return parameter.value({"p": probability})


# Closed forms of quantiles; W&B's documentation says what each name means.
@pytest.mark.parametrize(
    ("said", "probability", "expected"),
    [
        ({"min": 1.0, "max": 5.0}, 0.25, 2.0),
        ({"min": 1, "max": 5.5}, 0.5, 3.25),
        ({"distribution": "uniform", "min": 1, "max": 5}, 0.25, 2.0),
        ({"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-2}, 0.5, 1e-3),
        ({"distribution": "log_uniform", "min": -4, "max": 2}, 0.5, math.exp(-1)),
        ({"distribution": "inv_log_uniform", "min": -4, "max": 2}, 0.5, math.exp(1)),
        ({"distribution": "inv_log_uniform_values", "min": 0.5, "max": 8}, 0.5, 2.0),
        ({"distribution": "normal"}, 0.975, NORMAL_975),
        ({"distribution": "normal", "mu": 3, "sigma": 2}, 0.025, 3 - 2 * NORMAL_975),
        ({"distribution": "log_normal", "mu": 1, "sigma": 0.5}, 0.975, math.exp(1 + 0.5 * NORMAL_975)),
        ({"distribution": "beta", "a": 2, "b": 1}, 0.49, 0.7),  # its distribution function is x ** 2
        ({"distribution": "q_uniform", "min": 0, "max": 10, "q": 4}, 0.55, 4),
        ({"distribution": "q_uniform", "min": 0, "max": 10}, 0.55, 6),  # 5.5, to the even one
        ({"distribution": "q_uniform", "min": 0.5, "max": 10.5, "q": 1.0}, 0.75, 8.0),
        ({"distribution": "q_log_uniform_values", "min": 1, "max": 100, "q": 0.5}, 0.5, 10.0),
        ({"distribution": "q_normal", "mu": 10, "sigma": 2, "q": 5}, 0.975, 15),
        ({"distribution": "q_log_normal", "mu": 2, "q": 2}, 0.5, 8),  # e squared is 7.39
        ({"distribution": "q_beta", "q": 0.25}, 0.6, 0.5),
        ({"min": 3, "max": 3 + 9}, 0.999, 12),
    ],
    ids=lambda said: said.get("distribution", "unnamed") if isinstance(said, dict) else "",
)
def test_quantiles(said: dict[str, Any], probability: float, expected: float) -> None:
    found = at(said, probability)
    assert found == pytest.approx(expected, rel=1e-6)
    assert type(found) is type(expected)


def test_a_grid_of_whole_steps_is_of_whole_numbers() -> None:
    """As an argument that is an int wants them: `--batch=2.0` is none."""
    [parameter] = read_parameters({"p": {"distribution": "q_uniform", "min": 2, "max": 5}}, "grid")
    assert list(map(repr, parameter.options)) == ["2", "3", "4"]


def test_whole_numbers_have_equal_shares() -> None:
    counts = Counter(at({"min": 2, "max": 5}, (i + 0.5) / 40) for i in range(40))
    assert counts == {2: 10, 3: 10, 4: 10, 5: 10}


def test_options_have_the_shares_that_they_are_given() -> None:
    said = {"values": ["a", "b", "c"], "probabilities": [0.2, 0.0, 0.8]}
    counts = Counter(at(said, (i + 0.5) / 100) for i in range(100))
    assert counts == {"a": 20, "c": 80}
    assert at(said, 1.0) == "c"


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_the_ends_of_a_normal_distribution_are_numbers(probability: float) -> None:
    assert math.isfinite(at({"distribution": "normal"}, probability))


NESTED = {
    "z": {"values": [1, 2]},
    "outer": {"parameters": {"b": {"value": True}, "a": {"parameters": {"x": {"values": ["u", "v"]}}}}},
    "m": {"min": 3, "max": 4},
    "q": {"distribution": "q_uniform", "min": 0, "max": 4, "q": 2},
}


def test_a_grid_has_the_order_of_wandbs() -> None:
    """W&B's package `sweeps` 0.3.0 gave these sixteen in this order."""
    parameters = read_parameters(NESTED, "grid")
    found = [arguments(parameters, point) for point in grid(parameters)]
    expected = [
        {"m": m, "outer": {"a": {"x": x}, "b": True}, "q": q, "z": z}
        for m in (3, 4)
        for x in ("u", "v")
        for q in (0, 2)
        for z in (1, 2)
    ]
    assert found == expected and grid_size(parameters) == 16


def test_values_have_full_names() -> None:
    parameters = read_parameters(NESTED, "grid")
    assert values(parameters, {"m": 1, "q": 0, "z": 1, "outer.a.x": 0}) == {
        **{"m": 4, "q": 0, "z": 2},
        **{"outer.a.x": "u", "outer.b": True},
    }


@pytest.mark.parametrize(
    ("said", "method", "sentence"),
    [
        (
            {"min": 0.1, "max": 1.0},
            "grid",
            "parameter p: a grid cannot list all values of uniform; give values, or choose method random or bayes",
        ),
        (
            {"distribution": "log_uniform_values", "min": "1e-4", "max": 1.0},
            "random",
            "parameter p: min must be a number, not '1e-4'; in YAML write 1.0e-4 for 1e-4",
        ),
        ({"min": 5, "max": 5}, "bayes", "parameter p: min 5 must be less than max 5"),
        (
            {"distribution": "log_uniform_values", "min": 0, "max": 1},
            "bayes",
            "parameter p: min must be more than 0, not 0",
        ),
        ({"distribution": "normal", "sigma": 0}, "random", "parameter p: sigma must be more than 0, not 0"),
        (
            {"distribution": "int_uniform", "min": 1, "max": 2.5},
            "random",
            "parameter p: max must be a whole number, not 2.5",
        ),
        (
            {"min": 1, "max": 2, "step": 1},
            "random",
            "parameter p: int_uniform takes min, max; correct step",
        ),
        ({"distribution": "uniform", "min": 1}, "random", "parameter p: uniform takes min, max; correct max"),
        ({"values": []}, "grid", "parameter p: values must be a list of one or more, not []"),
        (
            {"values": [1, 2], "probabilities": [0.5]},
            "random",
            "parameter p: probabilities must be 2 numbers, as many as values, not [0.5]",
        ),
        (
            {"values": [1, 2], "probabilities": [0.5, 0.6]},
            "random",
            "parameter p: probabilities must add up to 1, not 1.1",
        ),
        ({"value": 3, "max": 4}, "grid", None),
        (0.5, "grid", "parameter p: write `value: 0.5` or `values: [...]` below it"),
        ({}, "grid", None),
        (
            {"distribution": "log_uniform", "min": 1, "max": 1000},
            "random",
            "parameter p: log_uniform takes logarithms, of which {'min': 1, 'max': 1000} are too large",
        ),
        (
            {"distribution": "q_uniform", "min": 0, "max": 1, "q": 1e-12},
            "grid",
            "parameter p: a grid cannot list more than 100000 values; give fewer, or choose method random or bayes",
        ),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 1e-320}, "grid", None),
        ({"min": 0, "max": 10**12}, "grid", None),
        ({"min": 0, "max": 10**400}, "random", None),
        (
            {"distribution": "uniform", "min": 0, "max": math.nan},
            "random",
            "parameter p: max must be a number, not nan",
        ),
        ({"distribution": ["a"]}, "random", None),
        ({"distribution": {"a": 1}}, "grid", None),
        (
            {"value": 3, 4: 5},
            "grid",
            "parameter p: constant cannot have value, 4 in a sweep by grid; see W&B's sweep configuration",
        ),
        ({"min": 1, "max": 2, 3: 4}, "random", "parameter p: int_uniform takes min, max; correct 3"),
        ({"distribution": "constant"}, "grid", "parameter p: constant needs value; add it"),
        ({"distribution": "categorical"}, "random", "parameter p: categorical needs values; add it"),
        (
            {"values": ["a", date(2024, 1, 31)]},
            "random",
            "parameter p: 2024-01-31 is nothing that JSON can hold; put it in quotes, as text",
        ),
        (
            {"value": {"a": [math.nan]}},
            "grid",
            "parameter p: {'a': [nan]} is nothing that JSON can hold; put it in quotes, as text",
        ),
        ({"parameters": {}}, "grid", "parameter p: parameters must be a mapping of names to what they may be, not {}"),
    ],
)
def test_mistakes_are_one_sentence(said: Any, method: str, sentence: str | None) -> None:
    with pytest.raises(ConfigError) as error:
        read_parameters({"p": said}, method)
    assert str(error.value).startswith("parameter p: ")
    if sentence:
        assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"a.b": {"values": [1, 2, 3]}, "a": {"parameters": {"b": {"values": [1, 2]}}}}, "a.b"),
        ({1: {"value": 2}, "1": {"value": 3}}, "1"),
    ],
)
def test_a_parameter_that_is_there_twice_is_refused(said: dict[Any, Any], name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^parameter {name} is there twice; leave one out$"):
        read_parameters(said, "grid")
