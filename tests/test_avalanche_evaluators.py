"""Avalanche's EvaluationPlugin, metrics and loggers under LightningStrategy: the same events, metrics and output."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from avalanche.evaluation.metrics import (
    accuracy_metrics,
    bwt_metrics,
    confusion_matrix_metrics,
    forgetting_metrics,
    forward_transfer_metrics,
    loss_metrics,
    timing_metrics,
)
from avalanche.logging import BaseLogger, CSVLogger, InteractiveLogger, TextLogger
from avalanche.training.plugins import EvaluationPlugin, ReplayPlugin
from avalanche.training.templates import SupervisedTemplate
from torch import Tensor

from parity import learn
from raincheck.strategy import LightningStrategy

EVERY = {"minibatch": True, "epoch": True, "epoch_running": True, "experience": True, "stream": True}


class Events(BaseLogger):
    """Writes down the name of every event that the evaluator passes on to its loggers."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith(("before_", "after_")):
            return super().__getattribute__(name)
        return lambda *args, **kwargs: self.seen.append(name)


def evaluated(strategy: type, logger: Any, metrics: list[Any], **kwargs: Any) -> EvaluationPlugin:
    """The evaluator of a strategy that has learned."""
    evaluator = EvaluationPlugin(*metrics, loggers=[logger], strict_checks=False)
    learn(strategy, {"beside": lambda *_: [ReplayPlugin(12)], "evaluator": evaluator}, **kwargs)
    return evaluator


def all_metrics() -> list[Any]:
    return [
        accuracy_metrics(**EVERY),
        loss_metrics(**EVERY),
        forgetting_metrics(experience=True, stream=True),
        bwt_metrics(experience=True, stream=True),
        forward_transfer_metrics(experience=True, stream=True),
        confusion_matrix_metrics(num_classes=6, stream=True, save_image=False),
    ]


def equal(one: Any, other: Any) -> bool:
    return torch.equal(one, other) if isinstance(one, Tensor) else repr(one) == repr(other)


@pytest.mark.parametrize("when", [{"eval_every": 0}, {"eval_every": 1}, {"eval_every": 2, "peval_mode": "iteration"}])
def test_the_same_metrics_and_events(when: dict[str, Any]) -> None:
    loggers = Events(), Events()
    theirs = evaluated(SupervisedTemplate, loggers[0], all_metrics(), **when)
    ours = evaluated(LightningStrategy, loggers[1], all_metrics(), **when)
    assert loggers[1].seen == loggers[0].seen
    assert loggers[0].seen
    for values in ("get_last_metrics", "get_all_metrics"):
        one, other = getattr(theirs, values)(), getattr(ours, values)()
        assert len(one) > 20
        assert list(one) == list(other)
    last = theirs.get_last_metrics(), ours.get_last_metrics()
    assert all(equal(last[0][name], last[1][name]) for name in last[0])
    for name, (steps, values) in theirs.get_all_metrics().items():
        assert ours.get_all_metrics()[name][0] == steps  # the x axis
        assert all(map(equal, values, ours.get_all_metrics()[name][1]))


def as_printed(text: str) -> list[str]:
    """What is left on the terminal at the end, without times: bars overwrite themselves."""
    lines = [line.rsplit("\r", maxsplit=1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
    return [re.sub(r"\[\d+:\d+<.*?\]|\x1b\[A", "", line).rstrip() for line in lines]


@pytest.mark.parametrize("logger", [TextLogger, InteractiveLogger])
def test_the_same_text(logger: Any, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for strategy in (SupervisedTemplate, LightningStrategy):
        made = logger()
        made.file = sys.stdout  # pytest's, and not the one of the time of the import
        evaluated(strategy, made, all_metrics()[:4])
        texts.append(as_printed(capsys.readouterr().out))
    assert texts[0] == texts[1]
    assert sum("Top1_Acc_Exp" in line for line in texts[0]) == 3 * 3
    assert any("100%" in line for line in texts[0]) == (logger is InteractiveLogger)


def test_the_same_csv(tmp_path: Path) -> None:
    for name, strategy in (("theirs", SupervisedTemplate), ("ours", LightningStrategy)):
        logger = CSVLogger(tmp_path / name)
        evaluated(strategy, logger, all_metrics()[:4], eval_every=1)
        logger.close()
    for file in ("training_results.csv", "eval_results.csv"):
        text = (tmp_path / "theirs" / file).read_text()
        assert (tmp_path / "ours" / file).read_text() == text
        assert text.count("\n") > 6


def test_times_are_taken() -> None:
    metrics = evaluated(LightningStrategy, Events(), [timing_metrics(**EVERY)]).get_last_metrics()
    times = {name: value for name, value in metrics.items() if name.startswith(("Time", "RunningTime"))}
    assert len(times) > 4
    assert all(value > 0 for value in times.values())
