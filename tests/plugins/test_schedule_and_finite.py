"""CosineSchedule against its closed form; FiniteLoss names what went wrong."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from lightning.pytorch.callbacks import GradientAccumulationScheduler, Timer
from torch import Tensor, nn

from interrupted import learn as resumed
from raincheck.errors import ConfigError, DivergenceError
from raincheck.plugins import EWC, CosineSchedule
from raincheck.plugins.finite import FiniteLoss
from raincheck.plugins.length import planned_batches
from raincheck.plugins.progress import ProgressBar
from tinytasks import learn, learn_in_avalanche, same, tiny_stream, tiny_tasks


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


LIMITS: dict[str, tuple[dict[str, Any], int]] = {
    "steps": ({"max_steps": 8}, 8),
    "more steps than there are": ({"max_steps": 100}, 12),
    "batches": ({"limit_train_batches": 4}, 8),
    "share": ({"limit_train_batches": 0.5}, 6),
    "both": ({"limit_train_batches": 4, "max_steps": 5}, 5),
    "accumulated": ({"accumulate_grad_batches": 4, "max_steps": 3}, 10),  # 4 and 2 batches, and 4 more
}


@pytest.mark.parametrize("case", LIMITS)
def test_an_experience_ends_where_the_trainer_ends_it(case: str) -> None:
    """The rate has come down by the last batch, and the bar is full."""
    trainer, steps = LIMITS[case]
    rates, bars, schedule = Rates(), Bars(), CosineSchedule(0.25, 0.1)
    learn(
        lambda: [schedule, rates, bars],
        lr=0.01,
        train_epochs=2,
        trainer=trainer,
        stream=tiny_stream(tasks=tiny_tasks()[:1]),
    )
    assert [(done, total) for done, total in bars.seen] == [(step + 1, steps) for step in range(steps)]
    assert rates.seen[-1] == pytest.approx(0.01 * schedule.factor((steps - 0.5) / steps))


class Bars(ProgressBar):
    """Notes where the bar is and where it ends."""

    def __init__(self) -> None:
        super().__init__("tiny")
        self.seen: list[tuple[float, float | None]] = []

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        super().after_training_iteration(strategy, **kwargs)
        assert self._bar is not None
        self.seen.append((self._bar.tasks[0].completed, self._bar.tasks[0].total))

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to remember."""


def test_the_bar_goes_on_where_a_task_was_interrupted(tmp_path: Path) -> None:
    """Of three tasks of six batches, in the third batch of the second."""
    with pytest.raises(SystemError):
        resumed(tmp_path, "after_backward", 9, plugins=lambda: [Bars()], epochs=1)
    bars = Bars()
    resumed(tmp_path, plugins=lambda: [bars], epochs=1)
    assert [done for done, _ in bars.seen] == [3, 4, 5, 6, 1, 2, 3, 4, 5, 6]
    assert {total for _, total in bars.seen} == {6}


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


def test_an_experience_of_unknown_length_is_refused() -> None:
    strategy = type("S", (), {"dataloader": iter([1]), "train_epochs": 1})
    with pytest.raises(ConfigError, match=r"^CosineSchedule cannot know how many batches .*; give the trainer max_s"):
        CosineSchedule().before_training_iteration(strategy)


ACCUMULATES = GradientAccumulationScheduler({0: 2, 1: 1})
ELSEWHERE: dict[str, dict[str, Any]] = {
    "max_time": {"max_time": "00:01:00:00"},
    "GradientAccumulationScheduler": {"callbacks": [ACCUMULATES], "max_steps": 5},
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_decides_an_experiences_length_meanwhile_is_refused(name: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"^CosineSchedule cannot know how many batches .* where {name} decides it; "
    ):
        learn(lambda: [CosineSchedule()], trainer=ELSEWHERE[name])


def test_what_does_not_is_not() -> None:
    rates = [Rates(), Rates()]
    learn(lambda: [CosineSchedule(), rates[0]], trainer={"callbacks": [ACCUMULATES, Timer()]}, train_epochs=2)
    learn(lambda: [CosineSchedule(), rates[1]], train_epochs=2)
    assert rates[0].seen[:3] == rates[1].seen[1:6:2] and rates[0].seen[3:9] == rates[1].seen[6:12]


@pytest.mark.parametrize(("says", "limit", "expected"), [(10, 2**40, 20), (10, 4, 8), (10, 12, 20), (None, 4, 8)])
def test_what_a_loader_of_ones_own_says_is_believed(says: int | None, limit: int, expected: int) -> None:
    """Lightning is told nothing of it; see `DeferredLoader`."""
    fit = type("Fit", (), {"num_training_batches": limit, "max_steps": -1})
    loader = range(says) if says else iter([1])
    strategy = type("S", (), {"dataloader": loader, "train_epochs": 2, "last_fit": fit})
    assert planned_batches(strategy) == expected


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
