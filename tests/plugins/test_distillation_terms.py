"""Distillation: a frozen old model, a gradient, named terms."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from raincheck.errors import ConfigError
from raincheck.networks import RRGNet
from raincheck.plugins import Distillation, RainReview
from tinytasks import learn, learn_in_avalanche, same


class Nothing(nn.Module):
    """A criterion that is always zero, so that all gradient is the plugin's."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return 0 * output.sum()


class Inspect(SupervisedPlugin):
    """Recomputes the terms and their gradient by hand, from its own copy of the old model."""

    def __init__(self, plugin: Distillation) -> None:
        super().__init__()
        self.plugin = plugin
        self.old: nn.Module | None = None
        self.steps = 0
        self.names: set[str] = set()

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        self.old = copy.deepcopy(strategy.model)

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        if self.old is not None:
            assert self.plugin.teacher is not None
            assert same(self.plugin.teacher.state_dict(), self.old.state_dict())

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        if self.old is None:
            assert self.plugin.terms == {}
            return
        twin = copy.deepcopy(strategy.model)
        labels = strategy.mbatch[2]
        total = torch.zeros(())
        with torch.no_grad():
            target = self.old(strategy.mb_x).clamp(0, 1)
        output = twin(strategy.mb_x)
        now = strategy.experience.current_experience
        for name, weight, rows in (
            ("review", self.plugin.review, labels < now),
            ("new", self.plugin.new, labels == now),
        ):
            if weight and rows.any():
                term = weight * (output - target).abs()[rows].mean()
                assert torch.allclose(term, self.plugin.terms[f"distillation/{name}"], rtol=1e-5)
                total = total + term
        twin.zero_grad()
        total.backward()
        for p, q in zip(strategy.model.parameters(), twin.parameters(), strict=True):
            assert torch.allclose(p.grad, q.grad, rtol=1e-4, atol=1e-8)
        self.steps += float(total.detach()) > 0
        self.names |= set(self.plugin.terms)


@pytest.mark.parametrize(
    ("review", "new", "names"),
    [
        (1.0, 0.0, {"distillation/review"}),
        (0.0, 2.0, {"distillation/new"}),
        (0.5, 0.5, {"distillation/review", "distillation/new"}),
    ],
)
def test_the_gradient_is_that_of_the_terms(review: float, new: float, names: set[str]) -> None:
    """Against gradients computed by hand; the data term is off, so nothing can hide a detached loss."""
    plugin = Distillation(review, new)
    inspect = Inspect(plugin)

    class Nudge(SupervisedPlugin):
        """Moves the model away from its teacher, or there would be nothing to distil."""

        def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
            generator = torch.Generator().manual_seed(0)
            with torch.no_grad():
                for p in strategy.model.parameters():
                    p += 0.05 * torch.randn(p.shape, generator=generator)

    learn(lambda: [RainReview(10**6, 2), plugin, inspect, Nudge()], criterion=Nothing())
    assert inspect.names == names
    assert inspect.steps == 12  # every step of the second and the third task


def test_the_teacher_is_frozen_and_belongs_to_nobody() -> None:
    plugin = Distillation(1.0, 1.0)
    snapshots: list[dict[str, Tensor]] = []

    class Check(SupervisedPlugin):
        def after_update(self, strategy: Any, **kwargs: Any) -> None:
            if plugin.teacher is None:
                assert strategy.experience.current_experience == 0
                return
            own = {id(p) for p in plugin.teacher.parameters()}
            assert not plugin.teacher.training and not any(p.requires_grad for p in plugin.teacher.parameters())
            assert all(p.grad is None for p in plugin.teacher.parameters())
            assert not own & {id(p) for p in strategy.model.parameters()}
            assert not own & {id(p) for group in strategy.optimizer.param_groups for p in group["params"]}
            assert plugin.teacher not in set(strategy.model.modules())
            assert same(plugin.teacher.state_dict(), snapshots[-1])

        def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
            snapshots.append({key: value.clone() for key, value in strategy.model.state_dict().items()})

    learned = learn(lambda: [RainReview(10**6), plugin, Check()])
    assert len(snapshots) == 3 and not same(snapshots[0], snapshots[1])
    fresh = RRGNet(window=3, width=4)
    assert learned.state.keys() == fresh.state_dict().keys()
    assert sum(len(g["params"]) for g in learned.strategy.optimizer.param_groups) == len(list(fresh.parameters()))


def test_without_reviewed_clips_only_new_ones_count() -> None:
    plain = learn()
    assert same(learn(lambda: [Distillation(1.0, 0.0)]).state, plain.state)
    assert not same(learn(lambda: [Distillation(0.0, 1.0)]).state, plain.state)


def test_terms_are_named_and_add_up() -> None:
    seen: set[frozenset[str]] = set()

    class Watch(SupervisedPlugin):
        def before_update(self, strategy: Any, **kwargs: Any) -> None:
            assert torch.allclose(sum(strategy.terms.values()), strategy.loss)
            assert not any(term.requires_grad for term in strategy.terms.values())
            seen.add(frozenset(strategy.terms))

    learn(lambda: [RainReview(10**6), Distillation(0.5, 0.5), Watch()])
    assert seen == {frozenset({"data"}), frozenset({"data", "distillation/review", "distillation/new"})}


def test_state_comes_back_when_the_next_experience_begins() -> None:
    plugin = Distillation()
    learned = learn(lambda: [plugin])
    saved = plugin.state_dict()
    assert same(saved["teacher"], learned.state)
    copied = Distillation()
    copied.load_state_dict(saved)
    network = RRGNet(window=3, width=4)
    copied.before_training_exp(type("Strategy", (), {"model": network})())
    assert copied.teacher is not None and same(copied.teacher.state_dict(), saved["teacher"])
    assert not same(network.state_dict(), saved["teacher"])  # the model itself is not touched
    untaught = Distillation()
    untaught.load_state_dict(Distillation().state_dict())
    assert untaught.teacher is None


def test_it_is_the_same_in_both_loops() -> None:
    def plugins() -> list[Any]:
        return [RainReview(10**5), Distillation(0.5, 0.25)]

    ours, theirs = learn(plugins), learn_in_avalanche(plugins)
    assert ours.losses == theirs.losses and same(ours.state, theirs.state)


def test_negative_weights_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^Distillation cannot have weights review -1, new 0.0 and feature 0.0;"):
        Distillation(-1)


class Watch(SupervisedPlugin):
    """Keeps, at every step, what `see` returns after the loss is known."""

    def __init__(self, see: Callable[[Any], Any]) -> None:
        super().__init__()
        self.see, self.seen = see, list[Any]()

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        self.seen.append(self.see(strategy))


def test_features_are_those_of_the_layer_on_reviewed_clips() -> None:
    """Against RRGNet taken apart by hand: what enters its head is what leaves its U-net."""
    plugin = Distillation(0.0, feature=3.0)

    def unet(model: Any, clips: Tensor) -> Tensor:
        inputs: list[Tensor] = []
        twin = copy.deepcopy(model)
        twin.head.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
        twin(clips)
        return inputs[0]

    def both(strategy: Any) -> tuple[Any, float] | None:
        if plugin.teacher is None:
            return None
        old = strategy.mb_x[strategy.mb_task_id < strategy.experience.current_experience]
        distance = (unet(strategy.model, old) - unet(plugin.teacher, old)).abs().mean()
        return dict(plugin.terms), 3.0 * float(distance)

    watch = Watch(both)
    learn(lambda: [RainReview(10**6, 2), plugin, watch])
    found = [pair for pair in watch.seen if pair]
    assert len(found) == 12 and all(set(terms) == {"distillation/feature"} for terms, _ in found)
    assert all(float(terms["distillation/feature"]) == pytest.approx(expected, rel=1e-5) for terms, expected in found)
    assert found[-1][1] > 0


def test_the_clean_target_needs_no_old_model() -> None:
    plugin = Distillation(0.5, target="clean")

    def expected(strategy: Any) -> tuple[dict[str, Tensor], float]:
        old = strategy.mb_task_id < strategy.experience.current_experience
        return dict(plugin.terms), 0.5 * float((strategy.mb_output - strategy.mb_y)[old].detach().abs().mean())

    watch = Watch(expected)
    learn(lambda: [RainReview(10**6, 2), plugin, watch])
    assert [set(terms) for terms, _ in watch.seen] == [set()] * 6 + [{"distillation/review"}] * 12
    assert all(float(t["distillation/review"]) == pytest.approx(value, rel=1e-5) for t, value in watch.seen[6:])
    assert plugin.teacher is None and plugin.bytes == 0


def test_a_tolerance_puts_the_clean_frame_where_the_old_model_is_wrong() -> None:
    """Value by value, in a loop over them; the tolerance is such that both kinds of value occur."""
    plugin = Distillation(0.5, tolerance=0.05)
    kinds: set[bool] = set()

    def expected(strategy: Any) -> tuple[dict[str, Tensor], float]:
        old = strategy.mb_task_id < strategy.experience.current_experience
        if plugin.teacher is None:
            return {}, 0.0
        with torch.no_grad():
            said = plugin.teacher(strategy.mb_x[old]).clamp(0, 1)
        values = zip(
            *(t.detach().flatten().tolist() for t in (strategy.mb_output[old], said, strategy.mb_y[old])), strict=True
        )
        distances = []
        for output, teacher, clean in values:
            kinds.add(abs(teacher - clean) <= 0.05)
            distances.append(abs(output - (teacher if abs(teacher - clean) <= 0.05 else clean)))
        return dict(plugin.terms), 0.5 * sum(distances) / len(distances)

    watch = Watch(expected)
    learn(lambda: [RainReview(10**6, 2), plugin, watch])
    assert kinds == {False, True}
    assert [set(terms) for terms, _ in watch.seen] == [set()] * 6 + [{"distillation/review"}] * 12
    assert all(float(t["distillation/review"]) == pytest.approx(value, rel=1e-4) for t, value in watch.seen[6:])


@pytest.mark.parametrize("clean", [True, False])
def test_no_tolerance_at_all_and_a_tolerance_of_everything_are_the_two_targets(clean: bool) -> None:
    weights = [
        learn(lambda one=one: [RainReview(10**6, 2), one])
        for one in (
            Distillation(0.5, tolerance=0.0 if clean else 2.0),
            Distillation(0.5, target="clean" if clean else "teacher"),
        )
    ]
    assert same(weights[0].state, weights[1].state)


@pytest.mark.parametrize("from_start", [True, False])
def test_the_first_model_can_be_an_old_one(from_start: bool) -> None:
    plugin = Distillation(0.0, 1.0, from_start=from_start)
    first: list[dict[str, Tensor]] = []

    class Look(SupervisedPlugin):
        def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
            first.append(copy.deepcopy(strategy.model.state_dict()))

    watch = Watch(lambda strategy: (set(plugin.terms), plugin.teacher and copy.deepcopy(plugin.teacher.state_dict())))
    learn(lambda: [Look(), plugin, watch])
    terms, teachers = zip(*watch.seen, strict=True)
    assert terms == ({"distillation/new"} if from_start else set(),) * 6 + ({"distillation/new"},) * 12
    assert [teacher is not None for teacher in teachers] == [from_start] * 6 + [True] * 12
    assert all(same(teachers[6 * task], first[task]) for task in range(0 if from_start else 1, 3))


@pytest.mark.parametrize(
    "arguments",
    [
        {"feature": -1.0},
        {"target": "rainy"},
        {"target": "clean", "feature": 1.0},
        {"tolerance": -0.1},
        {"target": "clean", "tolerance": 0.1},
        {"target": "clean", "from_start": True},
    ],
)
def test_what_cannot_be_distilled_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^Distillation cannot have "):
        Distillation(**arguments)


def test_a_layer_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError) as error:
        learn(lambda: [Distillation(feature=1.0, layer="unit")])
    names = "stem, branches, fuse, unet, head"
    assert str(error.value) == f"the network has no layer 'unit' to compare features of; it has {names}"
