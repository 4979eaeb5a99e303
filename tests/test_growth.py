"""Nothing of an experience stays when it is over, but what the next ones need."""

import gc
import multiprocessing
from collections.abc import Callable
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from lightning.pytorch import Trainer
from torch import Tensor, nn

from raincheck.datasets.base import Task
from raincheck.networks import RRGNet
from raincheck.plugins import EWC, Distillation, RainReview
from raincheck.strategy import LightningStrategy
from tinytasks import KINDS, tiny_stream, tiny_video

METHODS: dict[str, Callable[[], list[Any]]] = {
    "finetune": list,
    "rrgnet": lambda: [RainReview(4 * 10**4, 2), Distillation()],
    "ewc": lambda: [EWC()],
    "online ewc": lambda: [EWC(mode="online", decay_factor=0.5)],
}


def stream(tasks: int) -> Any:
    """Many tasks over the same three videos."""
    videos = {kind: tiny_video(kind, 0) for kind in KINDS}
    found = [Task(f"{i}", [videos[KINDS[i % 3]]], [videos[KINDS[i % 3]]]) for i in range(tasks)]
    return tiny_stream(4, found)


def learner(plugins: list[Any]) -> LightningStrategy:
    model = RRGNet(window=3, width=4)
    return LightningStrategy(
        model=model,
        optimizer=torch.optim.Adam(model.parameters()),
        criterion=nn.L1Loss(),
        train_mb_size=2,
        eval_mb_size=4,
        plugins=plugins,
        evaluator=None,
    )


def alive() -> tuple[int, int]:
    """Trainers, and bytes of all tensors."""
    gc.collect()
    objects = gc.get_objects()
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in objects if type(t) is Tensor}
    return sum(issubclass(type(thing), Trainer) for thing in objects), sum(storages.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_ten_experiences_leave_no_more_than_four(name: str) -> None:
    before, _ = alive()
    strategy, benchmark, found = learner(METHODS[name]()), stream(10), {}
    for count, (train, test) in enumerate(zip(benchmark.train_stream, benchmark.test_stream, strict=True), 1):
        strategy.train(train, shuffle=False)
        strategy.eval(test)
        if count in (4, 10):
            found[count] = alive()
    assert [trainers - before for trainers, _ in found.values()] == [1, 1]  # `last_fit`, by design
    assert found[10][1] <= found[4][1] * 1.01


@pytest.mark.slow
def test_the_oracle_sees_growth() -> None:
    """The equalities above would also hold if nothing were counted."""
    before = alive()
    kept = [torch.zeros(1000), Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")]
    after = alive()
    assert (after[0] - before[0], after[1] - before[1] >= 4000) == (1, True) and kept


class StopAtTwo(SupervisedPlugin):
    """Leaves the loader in the middle."""

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_iterations == 0:
            strategy.stop_training()


def test_no_worker_outlives_an_experience_that_was_stopped() -> None:
    strategy = learner([StopAtTwo()])
    for experience in stream(2).train_stream:
        strategy.train(experience, shuffle=False, num_workers=1)
        assert not multiprocessing.active_children()
