"""A method that is switched off is plain fine-tuning, and every plugin of ours does the same in both loops."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from raincheck.plugins import (
    AGEM,
    DER,
    EWC,
    GEM,
    MAS,
    PIGWM,
    SI,
    CosineSchedule,
    Distillation,
    RainReview,
    WeightAveraging,
)
from raincheck.plugins.finite import FiniteLoss
from tinytasks import Learned, learn, learn_in_avalanche, same

OFF: dict[str, Callable[[], list[Any]]] = {
    "ewc": lambda: [EWC(0)],
    "distillation": lambda: [Distillation(0, 0)],
    "review": lambda: [RainReview(0)],
    "all three": lambda: [EWC(0), RainReview(0), Distillation(0, 0)],
    "distillation of nothing reviewed": lambda: [RainReview(0), Distillation(1, 0)],
    "finite": lambda: [FiniteLoss()],
    "der without weights": lambda: [DER(0, 0)],
    "si": lambda: [SI(0)],
    "a-gem": lambda: [AGEM(0)],
    "gem": lambda: [GEM(budget=0)],
    "mas": lambda: [MAS(0)],
    "pigwm": lambda: [PIGWM(0)],
    "online ewc": lambda: [EWC(0, mode="online", decay_factor=0.9)],
    "der without budget": lambda: [DER(10, 1, budget=0)],
    "averaging": lambda: [WeightAveraging(0.0)],
    "features of nothing reviewed": lambda: [Distillation(0, feature=1.0)],
}

ON: dict[str, Callable[[], list[Any]]] = {
    "ewc": lambda: [EWC(10.0, clips=10)],
    "online ewc": lambda: [EWC(10.0, mode="online", decay_factor=0.5)],
    "distillation": lambda: [Distillation(0, 0.5)],
    "features": lambda: [RainReview(10**5), Distillation(0, feature=1.0)],
    "clean target": lambda: [RainReview(10**5), Distillation(0.5, target="clean")],
    "averaging": lambda: [WeightAveraging(0.5)],
    "review": lambda: [RainReview(10**5)],
    "schedule": lambda: [CosineSchedule()],
    "inputs": lambda: [RainReview(10**5, mode="inputs")],
    "streaks": lambda: [RainReview(10**5, mode="streaks")],
    "der": lambda: [DER(budget=10**5)],
    "der++": lambda: [DER(beta=0.5, budget=10**5)],
    "si": lambda: [SI(1.0)],
    "a-gem": lambda: [AGEM(10**5)],
    "gem": lambda: [GEM(budget=10**5)],
    "mas": lambda: [MAS(1.0, clips=10)],
    "pigwm": lambda: [PIGWM(1.0, clips=10)],
    "rrgnet": lambda: [CosineSchedule(), RainReview(10**5, 2), Distillation(0.5, 0.25), EWC(1.0), FiniteLoss()],
}


@cache
def plain() -> Learned:
    """Fine-tuning."""
    return learn()


@pytest.mark.parametrize("name", OFF)
def test_off_is_fine_tuning(name: str) -> None:
    off = learn(OFF[name])
    assert off.losses == plain().losses and same(off.state, plain().state)


@pytest.mark.parametrize("name", ON)
def test_same_bits_in_both_loops(name: str) -> None:
    ours, theirs = learn(ON[name]), learn_in_avalanche(ON[name])
    assert ours.losses == theirs.losses and same(ours.state, theirs.state)
    assert not same(ours.state, plain().state)  # it is not off
