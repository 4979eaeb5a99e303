"""EWC: importances of mean 1, a penalty of a usable size, weights that stay put."""

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
    plugin = EWC()
    learn(lambda: [plugin], criterion=criterion())
    assert [mean(plugin.importances[task]) for task in range(3)] == pytest.approx([1, 1, 1], rel=1e-5)


def test_importances_are_avalanches_up_to_scale() -> None:
    ours, theirs = EWC(0, clips=24), EWCPlugin(0)
    for plugin in (ours, theirs):
        learn(lambda plugin=plugin: [plugin], stream=tiny_stream(joint=True, samples=8))
    scale = mean(theirs.importances[0])
    for key, value in theirs.importances[0].items():
        assert torch.allclose(ours.importances[0][key].data, 0.01 + 0.99 * value.data / scale, rtol=1e-4)


def test_the_penalty_by_hand() -> None:
    plugin = EWC(7.0)
    seen: list[float] = []

    class Check(SupervisedPlugin):
        def after_backward(self, strategy: Any, **kwargs: Any) -> None:
            if strategy.experience.current_experience == 0:
                assert plugin.terms == {}
                return
            by_hand = sum(
                (importance.data * (p - plugin.saved_params[task][key].data).pow(2)).sum()
                for task, importances in plugin.importances.items()
                for (key, p), importance in zip(strategy.model.named_parameters(), importances.values(), strict=True)
            )
            assert torch.allclose(7 * by_hand, plugin.terms["ewc"], rtol=1e-4)
            seen.append(float(plugin.terms["ewc"]))

    learn(lambda: [plugin, Check()])
    # Zero at the first step of the second task, because the weights have not moved yet, and nowhere else.
    assert seen[0] == 0 and min(seen[1:]) > 0


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


def test_penalty_over_loss_is_of_a_usable_size_at_the_recommended_lambda() -> None:
    """Within 0.01 to 10 at every step but a task's first after the first task, where the weights have not moved yet."""
    ratio = Ratio()
    learn(lambda: [EWC(10.0), ratio], lr=1e-3, stream=tiny_stream(100), criterion=StructureLoss(), reset_optimizer=True)
    assert ratio.steps[0] == (0, 0.0)
    later = [value for step, value in ratio.steps if step > 0]
    assert len(later) == 48 and min(later) > 0.01 and max(later) < 10


def test_a_million_times_larger_lambda_holds_the_weights() -> None:
    def moved(ewc_lambda: float) -> float:
        return drift(lambda: [EWC(ewc_lambda)], lr=1e-3, stream=tiny_stream(100), reset_optimizer=True)

    plain = moved(0)
    assert moved(1e7) < 0.05 * plain < moved(10.0) < plain


def test_the_state_goes_around() -> None:
    plugin, copied = EWC(5.0), EWC(5.0)
    learn(lambda: [plugin])
    copied.load_state_dict(plugin.state_dict())
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
