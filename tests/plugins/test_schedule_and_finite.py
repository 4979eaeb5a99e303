"""CosineSchedule against its closed form; FiniteLoss names what went wrong."""

import math
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from raincheck.errors import ConfigError, DivergenceError
from raincheck.plugins import EWC, CosineSchedule
from raincheck.plugins.finite import FiniteLoss
from tinytasks import learn, learn_in_avalanche, same


class Rates(SupervisedPlugin):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def before_update(self, strategy: Any, **kwargs: Any) -> None:
        self.seen.append(strategy.optimizer.param_groups[0]["lr"])


@pytest.mark.parametrize(("warmup", "final", "epochs"), [(0.25, 0.1, 1), (0.0, 0.0, 2), (0.5, 1.0, 1)])
def test_rates_of_every_experience_are_the_closed_form(warmup: float, final: float, epochs: int) -> None:
    rates = Rates()
    learn(lambda: [CosineSchedule(warmup, final), rates], lr=0.01, train_epochs=epochs)
    steps = 6 * epochs
    expected = []
    for step in range(steps):
        at = (step + 0.5) / steps
        if at < warmup:
            expected.append(0.01 * at / warmup)
        else:
            expected.append(0.01 * (final + (1 - final) * (1 + math.cos(math.pi * (at - warmup) / (1 - warmup))) / 2))
    assert rates.seen == pytest.approx(expected * 3)


def test_ends_of_the_factor() -> None:
    schedule = CosineSchedule(0.2, 0.05)
    assert [schedule.factor(at) for at in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.5, 1, (1 + 0.05) / 2, 0.05])


def test_every_group_keeps_its_own_rate() -> None:
    optimizer = torch.optim.SGD([{"params": [nn.Parameter(torch.ones(1))], "lr": lr} for lr in (0.1, 0.3)])
    clock = type("Clock", (), {"train_exp_iterations": 4})
    strategy = type("S", (), {"dataloader": range(10), "train_epochs": 1, "clock": clock, "optimizer": optimizer})
    for _ in range(3):  # the rate set before is no new starting point
        CosineSchedule(0.0, 0.0).before_training_iteration(strategy)
    factor = (1 + math.cos(math.pi * 0.45)) / 2
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1 * factor, 0.3 * factor])


@pytest.mark.parametrize("arguments", [{"warmup": 1.0}, {"warmup": -0.1}, {"final": 1.1}])
def test_shares_out_of_range(arguments: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"^CosineSchedule cannot have warmup"):
        CosineSchedule(**arguments)


class Breaks(nn.Module):
    """An L1 loss that is no number at one call."""

    def __init__(self, at: int, value: float) -> None:
        super().__init__()
        self.at, self.value, self.calls = at, value, 0

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        self.calls += 1
        loss = (output - target).abs().mean()
        return loss * self.value if self.calls == self.at + 1 else loss


class Spoil(SupervisedPlugin):
    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_iterations == 14:
            strategy.loss += strategy.loss * float("nan")


def test_a_loss_that_is_nan_names_experience_step_and_term() -> None:
    with pytest.raises(DivergenceError) as error:
        learn(lambda: [FiniteLoss()], criterion=Breaks(6 + 3, float("nan")))
    assert str(error.value) == (
        "the loss term 'data' became nan in experience 1 (streaks), step 3; "
        "lower the learning rate or the term's weight"
    )
    with pytest.raises(DivergenceError, match=r"^the loss term 'data' became inf in experience 0 \(veil\), step 2; "):
        learn(lambda: [FiniteLoss()], criterion=Breaks(2, float("inf")))


def test_the_plugin_whose_term_is_nan_is_named() -> None:
    with pytest.raises(DivergenceError, match=r"^the loss term 'Spoil' became nan in experience 2 \(drops\), step 2; "):
        learn(lambda: [EWC(1.0), Spoil(), FiniteLoss()])


def test_the_weights_are_not_spoilt() -> None:
    kept: dict[str, Tensor] = {}

    class Keep(SupervisedPlugin):
        def after_update(self, strategy: Any, **kwargs: Any) -> None:
            kept.update({key: value.clone() for key, value in strategy.model.state_dict().items()})
            self.model = strategy.model

    keep = Keep()
    with pytest.raises(DivergenceError):
        learn(lambda: [Spoil(), FiniteLoss(), keep])
    assert same(keep.model.state_dict(), kept) and all(value.isfinite().all() for value in kept.values())


def test_in_avalanches_own_loop_there_is_no_name_but_a_sentence() -> None:
    with pytest.raises(DivergenceError, match=r"^the loss term 'total' became nan in experience 2 \(drops\), step 2; "):
        learn_in_avalanche(lambda: [Spoil(), FiniteLoss()])
