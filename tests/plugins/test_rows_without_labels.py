"""Users' data without labels, or with one label for all: the same weights as with a label for each experience."""

from collections.abc import Callable
from typing import Any

import pytest
from avalanche.benchmarks.scenarios.generic_scenario import CLScenario, EagerCLStream
from avalanche.core import SupervisedPlugin
from avalanche.training.plugins import ReplayPlugin
from torch.utils.data import Dataset

from raincheck.plugins import AGEM, DER, GEM, Distillation, RainReview
from raincheck.streams import RainExperience
from tinytasks import learn, learn_in_avalanche, same, tiny_stream


class Rows(Dataset[Any]):
    """Clips whose rows are changed."""

    by_index = True

    def __init__(self, clips: Any, change: Callable[[Any], Any]) -> None:
        self.clips, self.change = clips, change

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Any:
        return self.change(tuple(self.clips[index]))


def changed(change: Callable[[Any], Any], samples: int = 24) -> Any:
    """The tiny stream, with other rows."""
    experiences = [
        RainExperience(one.name, Rows(one.dataset, change), one.current_experience)
        for one in tiny_stream(samples).train_stream
    ]
    return CLScenario([EagerCLStream("train", experiences)])


def pair(row: Any) -> Any:
    return row[:2]


def all_zero(row: Any) -> Any:
    return *row[:2], 0


METHODS: dict[str, Callable[[], list[Any]]] = {
    "review": lambda: [RainReview(10**5, 2)],
    "review of inputs": lambda: [RainReview(10**5, 2, mode="inputs")],
    "review and distillation": lambda: [RainReview(10**5, 2), Distillation(0.5, 0.25)],
    "features": lambda: [Distillation(0.5, 0.25, feature=0.1), RainReview(10**5, 2)],
    "der": lambda: [DER(0.5, 0.5, budget=10**5)],
    "agem": lambda: [AGEM(10**5)],
    "gem": lambda: [GEM(budget=10**5)],
}


@pytest.mark.parametrize("method", METHODS)
def test_pairs_without_a_label(method: str) -> None:
    assert same(learn(METHODS[method], stream=changed(pair)).state, learn(METHODS[method]).state)


@pytest.mark.parametrize("method", ["review and distillation", "features"])
@pytest.mark.parametrize("loop", [learn, learn_in_avalanche])
def test_one_label_for_all(method: str, loop: Any) -> None:
    assert same(loop(METHODS[method], stream=changed(all_zero)).state, learn(METHODS[method]).state)


class Terms(SupervisedPlugin):
    """At each step, the experience, how many rows the batch has of each task, and the terms of a plugin."""

    def __init__(self, plugin: Distillation) -> None:
        super().__init__()
        self.plugin = plugin
        self.seen: list[tuple[int, list[int], dict[str, Any]]] = []

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        self.seen.append((strategy.experience.current_experience, strategy.mb_task_id.tolist(), self.plugin.terms))


def labelled(row: Any) -> Any:
    return row


@pytest.mark.parametrize("label", [labelled, all_zero])
def test_avalanches_replay_gives_old_rows_too(label: Callable[[Any], Any]) -> None:
    """Of an experience of 22 clips in batches of 4 the last has 2 new ones, and as many old ones as the others."""

    def replay(plugin: Distillation) -> list[Any]:
        return [ReplayPlugin(9, batch_size_mem=3), plugin, Terms(plugin)]

    plugins, expected = replay(Distillation(0.5, 0.25)), replay(Distillation(0.5, 0.25))
    learned = learn(lambda: plugins, stream=changed(label, 22))
    assert same(learned.state, learn(lambda: expected, stream=changed(labelled, 22)).state)
    for experience, labels, terms in expected[-1].seen:
        old = 3 * (experience > 0)
        assert [one == experience for one in labels] == [True] * (len(labels) - old) + [False] * old
        assert len(labels) - old in (2, 4) and len(terms) == 2 * (experience > 0)
    assert [len(labels) for _, labels, _ in plugins[-1].seen] == [4, 4, 4, 4, 4, 2] + 2 * [7, 7, 7, 7, 7, 5]
