"""What an evaluator has found goes into a checkpoint and comes back; what no checkpoint can hold stays as it is."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from avalanche.evaluation.metrics import Mean

from raincheck.checkpoint import foreign
from raincheck.errors import ConfigError
from raincheck.seam.evaluators import evaluator_state, restore_evaluator


class Own(Mean):
    """A user's metric, with functions among its parts."""

    def __init__(self, scale: Callable[[float], float]) -> None:
        super().__init__()
        self.scale, self.parts, self.by_function = scale, [Mean(), scale], {scale: 1.0, "all": 2.0}


def evaluator(*metrics: Any) -> Any:
    return SimpleNamespace(metrics=metrics, all_metric_results={}, last_metric_results={})


def test_functions_stay_those_that_are_there() -> None:
    then, now = Own(lambda x: x), Own(lambda x: -x)
    then.parts[0].update(3.0)
    then.by_function["all"] = 5.0
    state = evaluator_state(evaluator(then))
    assert foreign(state) is None
    restore_evaluator(evaluator(now), state)
    mean, scale = now.parts
    assert mean.result() == 3.0 and scale is now.scale and now.scale(1.0) == -1.0
    assert now.by_function["all"] == 5.0


def test_other_metrics_are_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"^the checkpoint is of the metrics \['Mean'\], not of \['Own'\]; use another folder$"
    ):
        restore_evaluator(evaluator(Own(abs)), evaluator_state(evaluator(Mean())))


def test_a_hostile_checkpoint_imports_nothing() -> None:
    state = evaluator_state(evaluator(Mean()))
    state["metrics"][0][3]["summed"] = ["object", "this", "d", {}]
    with pytest.raises(
        ConfigError, match=r"^the checkpoint names this\.d, which is not a metric of Avalanche's; use another folder$"
    ):
        restore_evaluator(evaluator(Mean()), state)
    assert "this" not in sys.modules
