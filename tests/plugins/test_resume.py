"""Any method that is interrupted, and taken up again, ends with the same bits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interrupted import check
from raincheck.plugins import AGEM, DER, EWC, GEM, MAS, PIGWM, SI, Distillation, RainReview, WeightAveraging

BUDGET = 60_000
METHODS: dict[str, Callable[[], list[Any]]] = {
    "inputs": lambda: [RainReview(BUDGET, 2, mode="inputs")],
    "streaks": lambda: [RainReview(BUDGET, 2, mode="streaks")],
    "der++": lambda: [DER(beta=0.5, budget=BUDGET, batch=2)],
    "si": lambda: [SI(1.0)],
    "mas": lambda: [MAS(1.0, clips=8)],
    "pigwm": lambda: [PIGWM(1.0, clips=8)],
    "online ewc": lambda: [EWC(1.0, clips=8, mode="online", decay_factor=0.5)],
    "a-gem": lambda: [AGEM(BUDGET, 2)],
    "gem": lambda: [GEM(budget=BUDGET, batch=2)],
    "averaging": lambda: [WeightAveraging(0.7)],
    "features": lambda: [RainReview(BUDGET, 2), Distillation(0.0, feature=1.0, layer="network.unet")],
}


QUICK = {"inputs", "gem"}  # memories and outputs; each method takes some seconds


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in METHODS]
)
@pytest.mark.parametrize(
    ("event", "call"),
    [
        ("after_update", 17),
        pytest.param("after_update", 4, marks=pytest.mark.slow),
        pytest.param("after_training_exp", 2, marks=pytest.mark.slow),
    ],
)
def test_an_interruption_changes_no_bit(tmp_path: Path, name: str, event: str, call: int) -> None:
    """In the second task, in the first, and when the second has just been learned."""
    check(tmp_path, event, call, plugins=METHODS[name])
