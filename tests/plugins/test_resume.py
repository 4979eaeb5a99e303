"""A run of any method that is stopped and started again ends with the same bits."""

from pathlib import Path
from typing import Any

import pytest

from test_run import RRGNET, STRIKE, numbers, start, weights
from tinytasks import Strike, same

BUDGET = {"budget": 40000, "batch": 2}
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "inputs": ("RainReview", {**BUDGET, "mode": "inputs"}),
    "streaks": ("RainReview", {**BUDGET, "mode": "streaks"}),
    "der++": ("DER", {**BUDGET, "beta": 0.5}),
    "si": ("SI", {"weight": 1.0}),
    "mas": ("MAS", {"weight": 1.0, "clips": 8}),
    "pigwm": ("PIGWM", {"weight": 1.0, "clips": 8}),
    "online ewc": ("EWC", {"ewc_lambda": 1.0, "clips": 8, "mode": "online", "decay_factor": 0.5}),
    "a-gem": ("AGEM", BUDGET),
    "gem": ("GEM", BUDGET),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_stopped_run_ends_with_the_same_bits(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, arguments = METHODS[name]
    method = {"class_path": f"raincheck.plugins.{kind}", "init_args": arguments}
    plugins = [RRGNET[0], method, {**STRIKE, "init_args": {"experience": 2}}]
    monkeypatch.setattr(Strike, "armed", True)
    with pytest.raises(SystemError):
        start(tmp_path / "stopped", plugins=plugins)
    monkeypatch.setattr(Strike, "armed", False)
    resumed, whole = (start(tmp_path / out, plugins=plugins) for out in ("stopped", "whole"))
    assert numbers(resumed) == numbers(whole) and same(weights(tmp_path / "stopped"), weights(tmp_path / "whole"))
    assert whole["memory_bytes"] >= whole["review_bytes"] and whole["memory_bytes"] > 0
    plain = start(tmp_path / "plain", plugins=[RRGNET[0]])
    assert plain["metrics"] != whole["metrics"] and plain["memory_bytes"] == 0
