"""What is counted is what went through networks: known beforehand for batches and reviews of known sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from avalanche.training.plugins import ReplayPlugin
from test_best import learn as learn_with_best_weights

from raincheck.plugins import EWC, BestWeights, Distillation, RainReview
from raincheck.plugins.passes import Passes
from tinytasks import learn, same, tiny_stream

# Three experiences of 6 steps of 4 clips.
STEPS, BATCH, TASKS = 6, 4, 3
NEW = STEPS * BATCH * TASKS
LATER = STEPS * (TASKS - 1)  # steps at which there is something to review
EXTRA: dict[str, tuple[Callable[[], list[Any]], int]] = {
    "review and teacher on it": (lambda: [RainReview(10**6, 2), Distillation(0.5)], (2 + 2) * LATER),
    "teacher on new clips": (lambda: [Distillation(0, 0.5)], BATCH * LATER),
    "teacher's targets": (lambda: [RainReview(10**6, 2, mode="inputs")], (2 + 2) * LATER),
    "importances": (lambda: [EWC(1.0, clips=5)], 5 * TASKS),
    "avalanche's replay, of which the teacher sees a part": (
        lambda: [ReplayPlugin(9, batch_size_mem=3), Distillation(0.5)],
        (3 + 3) * LATER,
    ),
}


@pytest.mark.parametrize("case", EXTRA)
def test_clips_beyond_the_new_ones(case: str) -> None:
    plugins, extra = EXTRA[case]
    passes = Passes()
    learned = learn(lambda: [passes, *plugins()])
    learned.strategy.eval(learned.stream.test_stream)
    assert (passes.new, passes.clips - passes.new) == (NEW, extra)
    assert passes.extra == round(extra / NEW, 3)


def test_what_is_only_scored_costs_nothing(tmp_path: Path) -> None:
    """Neither BestWeights' looks nor Avalanche's evaluation within an experience."""
    passes = Passes()
    learn_with_best_weights(BestWeights(every=2, clips=3), tmp_path, passes, EWC(1.0, clips=5))
    assert (tmp_path / "best.safetensors").exists()
    assert (passes.new, passes.clips - passes.new) == (NEW, 5 * TASKS)
    passes, stream = Passes(), tiny_stream()
    learned = learn(lambda: [passes], stream=stream, eval_every=1)
    learned.strategy.train(stream.train_stream[0], eval_streams=[stream.test_stream[:1]], shuffle=False)
    assert passes.clips == passes.new == NEW + STEPS * BATCH


def test_counting_changes_nothing() -> None:
    plugins = EXTRA["review and teacher on it"][0]
    assert same(learn(lambda: [Passes(), *plugins()]).state, learn(plugins).state)


def test_nothing_was_learned() -> None:
    assert Passes().extra is None
