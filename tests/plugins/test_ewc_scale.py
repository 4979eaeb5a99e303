"""EWC: importances of mean 1, one quadratic for all tasks, a penalty of a usable size, weights that stay put."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from avalanche.training.plugins import EWCPlugin
from torch import nn

from raincheck.errors import ConfigError
from raincheck.losses import StructureLoss
from raincheck.plugins import EWC
from tinytasks import learn, tiny_stream


def mean(importances: Any) -> float:
    values = torch.cat([value.data.flatten() for value in importances.values()])
    assert (values >= 0).all()
    return float(values.mean())


@pytest.mark.parametrize("criterion", [nn.L1Loss, nn.MSELoss])
def test_importances_have_mean_one_whatever_the_loss(criterion: type[nn.Module]) -> None:
    found: list[float] = []

    class Watch(EWC):
        def compute_importances(self, *args: Any, **kwargs: Any) -> Any:
            importances = super().compute_importances(*args, **kwargs)
            found.append(mean(importances))
            return importances

    learn(lambda: [Watch()], criterion=criterion())
    assert found == pytest.approx([1, 1, 1], rel=1e-5)


def test_importances_are_avalanches_up_to_scale() -> None:
    ours, theirs = EWC(0, clips=24), EWCPlugin(0)
    for plugin in (ours, theirs):
        learn(lambda plugin=plugin: [plugin], stream=tiny_stream(learn="joint", samples=8))
    scale = mean(theirs.importances[0])
    for key, value in theirs.importances[0].items():
        assert torch.allclose(ours.importances[0][key].data, 0.01 + 0.99 * value.data / scale, rtol=1e-4)


def test_clips_are_drawn_without_replacement_by_seed_and_experience(monkeypatch: pytest.MonkeyPatch) -> None:
    measure = EWCPlugin.compute_importances

    def drawn(**kwargs: Any) -> list[list[bytes]]:
        """The clips of each experience that its importances are measured on."""
        found: list[list[bytes]] = []

        def watched(self: EWC, model: Any, criterion: Any, optimizer: Any, dataset: Any, *args: Any, **kw: Any) -> Any:
            found.append(shown(dataset))
            return measure(self, model, criterion, optimizer, dataset, *args, **kw)

        monkeypatch.setattr(EWCPlugin, "compute_importances", watched)
        learn(lambda: [EWC(1.0, **kwargs)])
        return found

    everything = [shown(experience.dataset) for experience in tiny_stream().train_stream]
    first, again, other = (drawn(clips=6, seed=seed) for seed in (None, 0, 1))
    assert first == again
    for one, another, clips in zip(first, other, everything, strict=True):
        assert len(one) == 6 and clips[:6] not in (one, another) and one != another
        assert not Counter(one) - Counter(clips)
    assert drawn(clips=100) == everything


def shown(data: Any) -> list[bytes]:
    return [item[0].numpy().tobytes() for item in data]


class Separate(EWCPlugin):
    """Avalanche's own separate mode, which keeps every task's weights and importances, with importances of mean 1."""

    def compute_importances(self, *args: Any, **kwargs: Any) -> Any:
        return EWC().compute_importances(*args, **kwargs)


class Penalties(SupervisedPlugin):
    """The value and gradient of a penalty before each step of the later tasks, taken from the loss and its history."""

    def __init__(self, plugin: EWCPlugin) -> None:
        super().__init__()
        self.plugin = plugin
        self.values: list[float] = []
        self.gradients: list[torch.Tensor] = []

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        loss, strategy.loss = strategy.loss, torch.zeros(())
        self.plugin.before_backward(strategy)
        penalty, strategy.loss = strategy.loss, loss
        if strategy.clock.train_exp_counter > 0:
            self.values.append(float(penalty))
            gradients = torch.autograd.grad(penalty, list(strategy.model.parameters()))
            self.gradients.append(torch.cat([gradient.flatten() for gradient in gradients]))


def test_one_quadratic_is_the_sum_of_avalanches_separate_ones() -> None:
    """The same values and gradients along the way, and the same weights at the end, from a fraction of the memory."""
    ours, theirs = EWC(7.0), Separate(7.0)
    seen, expected = Penalties(ours), Penalties(theirs)
    learned = learn(lambda: [ours, seen])
    reference = learn(lambda: [theirs, expected])
    assert seen.values == pytest.approx(expected.values, rel=1e-4)
    for one, other in zip(seen.gradients, expected.gradients, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max()))
    for key, value in reference.state.items():
        assert torch.allclose(learned.state[key], value, rtol=1e-3, atol=1e-5)
    # Zero at the first step of the second task, because the weights have not moved yet, and nowhere else.
    assert seen.values[0] == 0 and min(seen.values[1:]) > 0
    assert (len(theirs.importances), len(theirs.saved_params)) == (3, 3)
    assert (len(ours.importances), len(ours.saved_params)) == (1, 1)


def test_the_penalty_is_named_and_bounded_from_below() -> None:
    plugin = EWC(7.0)
    terms: list[float] = []

    class Check(SupervisedPlugin):
        def after_backward(self, strategy: Any, **kwargs: Any) -> None:
            assert (plugin.terms == {}) == (strategy.experience.current_experience == 0)
            if strategy.experience.current_experience == 2:
                terms.append(float(plugin.terms["ewc"]) - 7 * plugin.offset)

    learn(lambda: [plugin, Check()])
    assert plugin.offset > 0 and min(terms) >= 0


class Ratio(SupervisedPlugin):
    """Penalty over the data term at every step after the first task."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[int, float]] = []

    def before_update(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.experience.current_experience > 0:
            ratio = float(strategy.terms["ewc"] / strategy.terms["data"])
            self.steps.append((strategy.clock.train_exp_iterations, ratio))


def drift(plugins: Callable[[], list[Any]], **kwargs: Any) -> float:
    """How far the weights move after the first task."""
    start: list[torch.Tensor] = []

    class Mark(SupervisedPlugin):
        def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
            if not start:
                start.append(nn.utils.parameters_to_vector(strategy.model.parameters()).detach().clone())

    learned = learn(lambda: [*plugins(), Mark()], **kwargs)
    end = nn.utils.parameters_to_vector(learned.strategy.model.parameters()).detach()
    return float((end - start[0]).norm())


@pytest.mark.slow
def test_penalty_over_loss_is_of_a_usable_size_at_the_recommended_lambda() -> None:
    """Within 0.01 to 10 at every step but a task's first after the first task, where the weights have not moved yet."""
    ratio = Ratio()
    learn(lambda: [EWC(10.0), ratio], lr=1e-3, stream=tiny_stream(100), criterion=StructureLoss(), reset_optimizer=True)
    assert ratio.steps[0] == (0, 0.0)
    later = [value for step, value in ratio.steps if step > 0]
    assert len(later) == 48 and min(later) > 0.01 and max(later) < 10


@pytest.mark.slow
def test_a_million_times_larger_lambda_holds_the_weights() -> None:
    def moved(ewc_lambda: float) -> float:
        return drift(lambda: [EWC(ewc_lambda)], lr=1e-3, stream=tiny_stream(100), reset_optimizer=True)

    plain = moved(0)
    assert moved(1e7) < 0.05 * plain < moved(10.0) < plain


def test_the_state_goes_around() -> None:
    plugin, copied = EWC(5.0), EWC(5.0)
    learn(lambda: [plugin])
    copied.load_state_dict(plugin.state_dict())
    assert copied.offset == plugin.offset > 0
    for kind in ("saved_params", "importances"):
        for task, values in getattr(plugin, kind).items():
            assert all(torch.equal(v.data, getattr(copied, kind)[task][k].data) for k, v in values.items())
    # A checkpoint is read on the CPU; the next experience may be elsewhere.
    copied.before_training_exp(type("Strategy", (), {"device": torch.device("meta")}))
    assert {v.data.device.type for task in copied.importances.values() for v in task.values()} == {"meta"}


@pytest.mark.parametrize("arguments", [{"ewc_lambda": -1.0}, {"clips": 0}, {"mode": "x"}, {"mode": "online"}])
def test_arguments_out_of_range(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^EWC cannot have "):
        EWC(**arguments)
