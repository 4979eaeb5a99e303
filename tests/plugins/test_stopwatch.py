"""Seconds of training by a clock of ours, with and without an interruption."""

from pathlib import Path
from typing import Any

import pytest
from avalanche.core import SupervisedPlugin

from interrupted import learn
from raincheck.plugins import stopwatch
from raincheck.plugins.stopwatch import Stopwatch


class Second(SupervisedPlugin):
    """Every step takes a second, and every evaluated batch a minute."""

    now = 0.0

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        Second.now += 1

    def before_eval_forward(self, strategy: Any, **kwargs: Any) -> None:
        Second.now += 60

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The clock goes on."""


def test_seconds_of_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three experiences of two epochs of six steps; a step that was lost is not counted, because it is done again."""
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: Second.now)
    watch = Stopwatch()
    with pytest.raises(SystemError):
        learn(tmp_path, "after_backward", 17, plugins=lambda: [Stopwatch(), Second()])
    Second.now += 1000
    learn(tmp_path, plugins=lambda: [watch, Second()])
    assert watch.seconds == 36
