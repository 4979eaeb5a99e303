"""What loggers and callbacks see of the loss: every term by name, on Avalanche's clock, at the steps asked for."""

from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from avalanche.training.plugins import EWCPlugin
from avalanche.training.templates import SupervisedTemplate
from lightning import LightningModule
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging
from lightning.pytorch.loggers.logger import Logger
from torch import Tensor, nn

import parity
from raincheck.plugins import EWC, Distillation, RainReview
from raincheck.strategy import LightningStrategy
from tinytasks import Learned, learn


class Kept(Logger):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int | None, dict[str, float]]] = []

    @property
    def name(self) -> str:
        return "kept"

    @property
    def version(self) -> int:
        return 0

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.rows.append((step, metrics))

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing is expected."""


class Adds(SupervisedPlugin):
    """Adds a constant to the loss, in place."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        strategy.loss += self.value


def logged(plugins: Any = list, **trainer: Any) -> tuple[Kept, Learned]:
    """Three experiences of six batches."""
    kept = Kept()
    return kept, learn(plugins, trainer={"logger": kept, **trainer})


def test_every_term_of_every_step_on_avalanches_clock() -> None:
    kept, learned = logged(lambda: [RainReview(10**5), Distillation(0.5), EWC()], log_every_n_steps=1)
    assert [step for step, _ in kept.rows] == list(range(1, 19))
    assert [row["train/loss"] for _, row in kept.rows] == learned.losses
    first, later = {"train/loss", "train/data"}, {"train/distillation/review", "train/ewc"}
    for step, row in kept.rows:
        assert row.keys() == (first if step and step <= 6 else first | later | {f"{name}_to_data" for name in later})
        assert row["train/loss"] == pytest.approx(sum(row.get(name, 0.0) for name in {"train/data"} | later))
        for name in later & row.keys():
            assert row[f"{name}_to_data"] == pytest.approx(row[name] / row["train/data"])


def test_the_loss_is_kept_when_an_evaluation_empties_the_strategys() -> None:
    kept = Kept()
    periodic = {"eval_every": 1, "peval_mode": "iteration"}
    parity.learn(LightningStrategy, **periodic, trainer={"logger": kept, "log_every_n_steps": 1})
    assert kept.rows and all(row["train/loss"] == row["train/data"] > 0 for _, row in kept.rows)


@pytest.mark.parametrize(
    ("trainer", "steps"),
    [
        ({"log_every_n_steps": 4}, [4, 10, 16]),  # Lightning counts anew in every experience
        ({"log_every_n_steps": 1, "accumulate_grad_batches": 2}, list(range(2, 19, 2))),
        ({"log_every_n_steps": 2, "accumulate_grad_batches": 2}, [4, 10, 16]),
        ({"log_every_n_steps": 0}, []),
    ],
)
def test_only_at_the_steps_asked_for(trainer: dict[str, Any], steps: list[int]) -> None:
    kept, learned = logged(**trainer)
    assert [step for step, _ in kept.rows] == steps
    assert all(row["train/loss"] in learned.losses for _, row in kept.rows)


class Pulls(SupervisedPlugin):
    """Names a term as it adds it, with its graph."""

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        pull = torch.stack([weight.square().sum() for weight in strategy.model.parameters()]).sum()
        strategy.loss = strategy.loss + pull
        self.terms = {"pull": pull}


def test_a_term_that_keeps_its_graph_is_shown_without() -> None:
    metrics = learn(lambda: [Pulls()]).strategy.last_fit.callback_metrics
    assert metrics["train/pull"] > 0 and not metrics["train/pull"].requires_grad


def test_callbacks_see_the_last_step() -> None:
    learned = learn(lambda: [Adds(0.25)])
    metrics = learned.strategy.last_fit.callback_metrics
    assert all(isinstance(value, torch.Tensor) and not value.requires_grad for value in metrics.values())
    assert float(metrics["train/loss"]) == learned.losses[-1] and float(metrics["step"]) == 18
    assert float(metrics["train/Adds"]) == pytest.approx(0.25)


def test_names_do_not_depend_on_values() -> None:
    """Or processes that reduce them together would wait for each other's."""
    kept, _ = logged(lambda: [Adds(0.0), EWC(0), Distillation()], log_every_n_steps=1)
    assert all(row.keys() == {"train/loss", "train/data", "train/Adds", "train/Adds_to_data"} for _, row in kept.rows)


class Speaks(LightningModule):
    """A model of somebody who comes from Lightning."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(10, 6)

    def forward(self, x: Tensor) -> Tensor:
        said: Tensor = self.layer(x.flatten(1))
        self.log("evaluated" if not self.training else "mean", said.mean())
        return said


class EvaluatesAndAsks(SupervisedPlugin):
    """Evaluates within an iteration, and uses the model once more."""

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        strategy.eval(strategy.experience.origin_stream[:1])
        strategy.model(torch.zeros(1, 1, 2, 5))


@pytest.mark.filterwarnings(
    "ignore:You are trying to `self.log\\(\\)` but the `self.trainer` reference"
)  # Fisher passes
@pytest.mark.parametrize("model", [Speaks, lambda: nn.Sequential(nn.Identity(), Speaks())], ids=["itself", "within"])
def test_a_lightning_module_as_the_model_logs_as_ever(model: Any) -> None:
    kept = Kept()
    trainer = {"logger": kept, "log_every_n_steps": 1, "callbacks": [EMAWeightAveraging(decay=0.0)]}
    setting = {"model": model, "beside": lambda *_: [EvaluatesAndAsks(), EWCPlugin(1.0)]}
    ours = parity.learn(LightningStrategy, setting, trainer=trainer)
    parity.assert_same(ours, parity.learn(SupervisedTemplate, setting))
    assert [step for step, row in kept.rows if "mean" in row] == list(range(24))  # Lightning's own count
    assert any("evaluated" in row for _, row in kept.rows)


class Tells(Callback):
    def on_train_batch_end(self, trainer: Any, *arguments: Any) -> None:
        self.log("batches", float(trainer.fit_loop.total_batch_idx))


def test_a_callback_logs_on_after_an_evaluation_within_the_experience() -> None:
    kept = Kept()
    trainer = {"logger": kept, "log_every_n_steps": 1, "callbacks": [Tells()]}
    parity.learn(LightningStrategy, eval_every=1, peval_mode="iteration", trainer=trainer)
    assert [row["batches"] for _, row in kept.rows if "batches" in row] == [*range(8)] * 3
