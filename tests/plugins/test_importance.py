"""SI, MAS and PIGWM: importances against closed forms, penalties by hand, weights that stay put."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from raincheck.errors import ConfigError
from raincheck.generators import generators, same
from raincheck.losses import StructureLoss
from raincheck.plugins import MAS, PIGWM, SI
from raincheck.plugins.importance import normalised
from raincheck.plugins.penalty import WeightPenalty
from tinytasks import learn, tiny_stream


class Bowl(nn.Module):
    """Loss `1/2 sum_k a_k w_k^2`: gradient descent from 1 gives `w_k = (1 - lr a_k)^t`."""

    def __init__(self) -> None:
        super().__init__()
        self.a = torch.tensor([0.5, 1.0, 2.0, 0.0])
        self.w = nn.Parameter(torch.ones(4))

    def forward(self) -> Tensor:
        return (self.a * self.w.square()).sum() / 2


def descend(plugin: WeightPenalty, model: Bowl, steps: int, lr: float) -> None:
    """A task in the events that a strategy triggers."""
    optimizer = torch.optim.SGD(model.parameters(), lr)
    strategy = SimpleNamespace(model=model, device=torch.device("cpu"))
    plugin.before_training_exp(strategy)
    for _ in range(steps):
        optimizer.zero_grad()
        strategy.loss = model()
        plugin.before_backward(strategy)
        strategy.loss.backward()
        plugin.before_update(strategy)
        optimizer.step()
        plugin.after_update(strategy)
    plugin.after_training_exp(strategy)


def test_si_on_a_quadratic() -> None:
    """`path_k = lr a_k^2 sum_t (1 - lr a_k)^(2 t)`, a geometric series."""
    steps, lr, damping = 7, 0.1, 0.01
    model = Bowl()
    plugin = SI(0.5, damping)
    descend(plugin, model, steps, lr)
    q = 1 - lr * model.a
    path = torch.where(model.a > 0, lr * model.a**2 * (1 - q ** (2 * steps)) / (1 - q**2).clamp(min=1e-9), 0)
    importance = path / ((1 - q**steps) ** 2 + damping)
    assert torch.allclose(plugin.importance["w"], 0.01 + 0.99 * importance / importance.mean(), rtol=1e-4)
    assert plugin.importance["w"].mean() == pytest.approx(1)
    assert torch.allclose(plugin.anchor["w"], q**steps)


def test_sis_path_is_what_the_loss_fell_by() -> None:
    """In the limit of small steps, each weight's path is its own share of the loss: a_k / 2 * (1 - w_k^2)."""
    plugin, model = SI(1.0), Bowl()
    descend(plugin, model, 2000, 1e-3)
    assert torch.allclose(plugin._path["w"], model.a / 2 * (1 - model.w.detach() ** 2), rtol=2e-3)


def test_sis_path_leaves_the_penalty_out() -> None:
    """With the penalty at work in a second task, the path is that of the data's gradient alone, `a_k w_k`."""
    plugin, model = SI(2.0), Bowl()
    descend(plugin, model, 3, 0.1)
    seen: list[tuple[Tensor, Tensor]] = []

    class Watch(SI):
        def before_update(self, strategy: Any, **kwargs: Any) -> None:
            super().before_update(strategy, **kwargs)
            seen.append((model.w.detach().clone(), model.w.grad.clone()))

    second = Watch(2.0)
    second.load_state_dict(plugin.state_dict())
    descend(second, model, 4, 0.1)
    after = [w for w, _ in seen[1:]] + [model.w.detach()]
    by_hand = sum(-(model.a * w) * (then - w) for (w, _), then in zip(seen, after, strict=True))
    assert torch.allclose(second._path["w"], by_hand, atol=1e-7)
    # And the penalty was there: at the last step the gradient is not the data's.
    assert not torch.allclose(seen[-1][1], model.a * seen[-1][0], atol=1e-4)


def linear() -> tuple[SimpleNamespace, Tensor, Tensor, Tensor]:
    """A network without bias over three samples: weights `(2, 3)`, inputs `(3, 3)` and targets `(3, 2)`."""
    generator = torch.Generator().manual_seed(0)
    model = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.randn(2, 3, generator=generator))
    x, y = torch.randn(3, 3, generator=generator), torch.randn(3, 2, generator=generator)
    data = [(a, b, 0) for a, b in zip(x, y, strict=True)]
    strategy = SimpleNamespace(
        model=model,
        device=torch.device("cpu"),
        experience=SimpleNamespace(dataset=data),
        clock=SimpleNamespace(train_exp_counter=0),
        _criterion=nn.MSELoss(),
    )
    return strategy, model.weight.detach().clone(), x, y


def test_mas_on_a_linear_network() -> None:
    """`d |W x|^2 / dW = 2 W x x^T`, absolute, a sample at a time: not that of the mean, in which signs cancel."""
    strategy, w, x, _ = linear()
    plugin = MAS(1.0)
    plugin.after_training_exp(strategy)
    importance = torch.stack([(2 * (w @ sample)[:, None] * sample).abs() for sample in x]).mean(0)
    assert torch.allclose(plugin.importance["weight"], 0.01 + 0.99 * importance / importance.mean(), rtol=1e-5)
    assert strategy.model.training and strategy.model.weight.grad is None


def test_pigwm_on_a_linear_network() -> None:
    """`d MSE / dW = (W x - y) x^T` for two outputs, absolute, and the penalty `beta / 2 (S + S^2)`."""
    strategy, w, x, y = linear()
    plugin = PIGWM(3.0)
    plugin.after_training_exp(strategy)
    pairs = zip(x, y, strict=True)
    importance = torch.stack([((w @ sample - target)[:, None] * sample).abs() for sample, target in pairs]).mean(0)
    assert torch.allclose(plugin.importance["weight"], importance, rtol=1e-5)
    with torch.no_grad():
        strategy.model.weight += torch.tensor([[0.1, -0.2, 0.0], [0.0, 0.0, -0.3]])
    s = float((importance * torch.tensor([[0.1, 0.2, 0.0], [0.0, 0.0, 0.3]])).sum())
    strategy.loss = torch.tensor(5.0)
    plugin.before_backward(strategy)
    assert float(plugin.terms["pigwm"]) == pytest.approx(1.5 * (s + s * s), rel=1e-5)
    assert float(strategy.loss) == pytest.approx(5 + 1.5 * (s + s * s), rel=1e-5)


class Noted(list[Any]):
    """Clips that note which of them were looked at."""

    def __init__(self, clips: Iterable[Any]) -> None:
        super().__init__(clips)
        self.seen: list[int] = []

    def __getitem__(self, index: Any) -> Any:
        self.seen.append(index)
        return super().__getitem__(index)


def looked_at(method: Any, clips: int, experience: int = 0, **kwargs: Any) -> list[int]:
    """Which of 42 clips the importances of an experience are measured on."""
    strategy, *_ = linear()
    strategy.experience.dataset = Noted(strategy.experience.dataset * 14)
    strategy.clock.train_exp_counter = experience
    before = generators()
    method(1.0, clips=clips, **kwargs).after_training_exp(strategy)
    assert same(before, generators())
    return strategy.experience.dataset.seen


@pytest.mark.parametrize("method", [MAS, PIGWM])
def test_clips_are_drawn_without_replacement_by_seed_and_experience(method: Any) -> None:
    seen = looked_at(method, 10)
    assert len(set(seen)) == 10 and seen != list(range(10)) and set(seen) < set(range(42))
    assert looked_at(method, 10, seed=0) == seen
    others = [looked_at(method, 10, experience=1), looked_at(method, 10, seed=1)]
    assert seen not in others and others[0] != others[1]
    assert looked_at(method, 42) == looked_at(method, 100) == list(range(42))


def test_only_so_many_clips_are_looked_at() -> None:
    strategy, w, x, _ = linear()
    plugin = MAS(1.0, clips=1)
    plugin.after_training_exp(strategy)
    candidates = [(2 * (w @ one)[:, None] * one).abs() for one in x]
    expected = [0.01 + 0.99 * importance / importance.mean() for importance in candidates]
    assert sum(torch.allclose(plugin.importance["weight"], one, rtol=1e-5) for one in expected) == 1


def test_importances_add_up_and_decay() -> None:
    strategy, *_ = linear()
    plugin = MAS(1.0, decay=0.25)
    plugin.after_training_exp(strategy)
    first = plugin.importance["weight"].clone()
    with torch.no_grad():
        strategy.model.weight *= -3
    plugin.after_training_exp(strategy)  # the gradient of the norm is three times as large; its mean is 1 again
    assert torch.allclose(plugin.importance["weight"], 1.25 * first, rtol=1e-5)
    assert torch.equal(plugin.anchor["weight"], strategy.model.weight)
    assert plugin.bytes == 2 * 6 * 4


def test_evened_spreads_a_hundredth() -> None:
    values = normalised({"a": torch.tensor([0.0, 3.0]), "b": torch.tensor([[5.0]])})
    assert torch.allclose(values["a"], torch.tensor([0.01, 0.01 + 0.99 * 3 * 3 / 8]))
    assert torch.allclose(normalised({"a": torch.zeros(2)})["a"], torch.tensor(0.01))


METHODS = {"si": SI, "mas": MAS, "pigwm": PIGWM}


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_a_large_weight_holds_the_weights(name: str) -> None:
    def moved(weight: float) -> float:
        start: list[Tensor] = []

        class Mark(SupervisedPlugin):
            def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
                start.append(nn.utils.parameters_to_vector(strategy.model.parameters()).detach().clone())

        learn(lambda: [METHODS[name](weight), Mark()], lr=1e-3, stream=tiny_stream(100), reset_optimizer=True)
        return float((start[2] - start[0]).norm())

    assert moved(1e5) < 0.7 * moved(0)


@pytest.mark.parametrize(
    ("name", "weight"),
    [
        pytest.param("si", 10.0, marks=pytest.mark.slow),
        ("mas", 10.0),
        pytest.param("pigwm", 1.0, marks=pytest.mark.slow),
    ],
)
def test_penalty_over_loss_is_of_a_usable_size(name: str, weight: float) -> None:
    """Near EWC's weight in its own test: 0 at the first step after the first task, then within 0.001 to 10."""
    ratios: list[tuple[int, float]] = []

    class Ratio(SupervisedPlugin):
        def before_update(self, strategy: Any, **kwargs: Any) -> None:
            if strategy.experience.current_experience > 0:
                ratio = float(strategy.terms[name] / strategy.terms["data"])
                ratios.append((strategy.clock.train_exp_iterations, ratio))

    plugins = [METHODS[name](weight), Ratio()]
    learn(lambda: plugins, lr=1e-3, stream=tiny_stream(100), criterion=StructureLoss(), reset_optimizer=True)
    assert ratios[0] == (0, 0.0)
    later = [value for step, value in ratios if step > 0]
    assert len(later) == 48 and min(later) > 0.001 and max(later) < 10


MISTAKES = [(SI, {"weight": -1}), (SI, {"damping": 0}), (MAS, {"clips": 0}), (PIGWM, {"clips": 0}), (MAS, {"decay": 2})]


@pytest.mark.parametrize(("method", "arguments"), MISTAKES)
def test_arguments_out_of_range(method: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"^{method.__name__} cannot have .*; give "):
        method(**arguments)
