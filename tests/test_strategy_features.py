"""What Lightning brings, under LightningStrategy: the gradient of a penalty is what it is without the feature."""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.core import SupervisedPlugin
from avalanche.training.plugins import (
    AGEMPlugin,
    EWCPlugin,
    GEMPlugin,
    GSS_greedyPlugin,
    LRSchedulerPlugin,
    RWalkPlugin,
)
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    EMAWeightAveraging,
    GradientAccumulationScheduler,
    ModelCheckpoint,
    WeightAveraging,
)
from lightning.pytorch.plugins.precision import MixedPrecision
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from raincheck.errors import ConfigError
from raincheck.plugins import Distillation
from raincheck.strategy import LightningStrategy
from tools import require_tool

ROWS = 8  # an experience, and a batch of it where nothing is accumulated


def stream(experiences: int = 2, rows: int = ROWS) -> Any:
    generator = torch.Generator().manual_seed(0)

    def data() -> AvalancheDataset:
        x, y = torch.randn(rows, 3, generator=generator), torch.randn(rows, 2, generator=generator)
        return AvalancheDataset([TensorDataset(x, y)])

    return benchmark_from_datasets(
        train=[data() for _ in range(experiences)], test=[data() for _ in range(experiences)]
    )


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))


def learner(model: nn.Module, plugins: list[Any], groups: Any = None, **kwargs: Any) -> LightningStrategy:
    arguments = {"train_mb_size": ROWS, "eval_mb_size": ROWS, "evaluator": None, **kwargs}
    optimizer = torch.optim.SGD(groups or model.parameters(), 0.1)
    return LightningStrategy(model=model, optimizer=optimizer, criterion=nn.MSELoss(), plugins=plugins, **arguments)


class Probe(SupervisedPlugin):
    """Moves the weights away from where the first experience left them, then looks at the step that is taken."""

    def __init__(self, penalty: Callable[[nn.Module, Tensor], Tensor], x: Tensor, y: Tensor) -> None:
        super().__init__()
        self.penalty, self.x, self.y = penalty, x, y

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_counter == 1:
            with torch.no_grad():
                for p in strategy.model.parameters():
                    if p.requires_grad:
                        p += 0.3
            twin = copy.deepcopy(getattr(strategy.model, "_orig_mod", strategy.model))
            penalty = self.penalty(twin, self.x)
            assert penalty > 0.1  # of the size of the data's loss, or nothing would be tested
            (F.mse_loss(twin(self.x), self.y) + penalty).backward()
            self.expected = [p.grad for p in twin.parameters()]
            self.before = [p.detach().clone() for p in strategy.model.parameters()]

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_counter == 1:
            after = [p.detach() for p in strategy.model.parameters()]
            self.step = [old - new for old, new in zip(self.before, after, strict=True)]


def ewc() -> tuple[Any, Callable[[nn.Module, Tensor], Tensor]]:
    """The penalty, written down without the plugin: lambda * sum of F (w - w*)^2."""
    plugin = EWCPlugin(50.0)

    def penalty(model: nn.Module, x: Tensor) -> Tensor:
        def of(kind: Any, name: str) -> Tensor:
            values = {key.removeprefix("_orig_mod."): value.data for key, value in kind[0].items()}
            return values[name]

        pairs = model.named_parameters()
        terms = [(of(plugin.importances, n) * (p - of(plugin.saved_params, n)) ** 2).sum() for n, p in pairs]
        return 50.0 * sum(terms, torch.zeros(()))

    return plugin, penalty


def distillation() -> tuple[Any, Callable[[nn.Module, Tensor], Tensor]]:
    plugin = Distillation(review=0.0, new=3.0)

    def penalty(model: nn.Module, x: Tensor) -> Tensor:
        assert plugin.teacher is not None
        return 3.0 * (model(x) - plugin.teacher(x).detach()).abs().mean()

    return plugin, penalty


def clipped(gradients: list[Tensor]) -> list[Tensor]:
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    assert norm > 0.05
    return [g * 0.05 / norm for g in gradients]


def clamped(gradients: list[Tensor]) -> list[Tensor]:
    return [g.clamp(-0.01, 0.01) for g in gradients]


def accumulation_by_schedule() -> Callback:
    return GradientAccumulationScheduler({0: 2})


def half() -> dict[str, Any]:
    """Arguments of a Trainer in fp16 with a scaled loss; the name `16-mixed` alone means bf16 on the CPU."""
    # The usual first scale, 65536, may overflow, whereupon a step is skipped and the scale halved.
    return {"plugins": [MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=64.0))]}


def ending() -> Callback:
    return EarlyStopping("train/loss", patience=3, check_on_train_epoch_end=True)


class Watch(Callback):
    """A callback of a user's, with state."""

    def __init__(self) -> None:
        self.batches = 0

    def on_train_batch_end(self, *args: Any, **kwargs: Any) -> None:
        self.batches += 1


Feature = tuple[dict[str, Any], dict[str, Any], Callable[[list[Tensor]], list[Tensor]], float]
SAME: Callable[[list[Tensor]], list[Tensor]] = lambda gradients: gradients  # noqa: E731
FEATURES: dict[str, Feature] = {  # Trainer's arguments, the strategy's, the gradient that follows, relative tolerance
    "none": ({}, {}, SAME, 1e-4),
    "accumulation": ({"accumulate_grad_batches": 2}, {"train_mb_size": 4}, SAME, 1e-4),
    "accumulation of 8": ({"accumulate_grad_batches": 8}, {"train_mb_size": 1}, SAME, 1e-4),
    "scheduled accumulation": ({"callbacks": [accumulation_by_schedule]}, {"train_mb_size": 4}, SAME, 1e-4),
    "clipping by norm": ({"gradient_clip_val": 0.05}, {}, clipped, 1e-4),
    "clipping by value": ({"gradient_clip_val": 0.01, "gradient_clip_algorithm": "value"}, {}, clamped, 1e-4),
    "clipping and accumulation": (
        {"gradient_clip_val": 0.05, "accumulate_grad_batches": 2},
        {"train_mb_size": 4},
        clipped,
        1e-4,
    ),
    "bf16": ({"precision": "bf16-mixed"}, {}, SAME, 0.03),
    "bf16 and accumulation": (
        {"precision": "bf16-mixed", "accumulate_grad_batches": 2},
        {"train_mb_size": 4},
        SAME,
        0.03,
    ),
    "fp16": (half(), {}, SAME, 0.01),
    "fp16 and accumulation": ({**half(), "accumulate_grad_batches": 2}, {"train_mb_size": 4}, SAME, 0.01),
    "fp16 and clipping": ({**half(), "gradient_clip_val": 0.05}, {}, clipped, 0.01),
    "weight averaging": ({"callbacks": [EMAWeightAveraging(decay=0.0)]}, {}, SAME, 1e-4),
    "early stopping": ({"callbacks": [ending]}, {}, SAME, 1e-4),
    "a user's callback": ({"callbacks": [Watch()]}, {}, SAME, 1e-4),
}


def step_and_expected(
    model: nn.Module, kind: Callable[[], Any], groups: Any = None, **kwargs: Any
) -> tuple[list[Tensor], list[Tensor]]:
    """The first step of the second experience, and the gradient it should have come from."""
    plugin, penalty = kind()
    benchmark = stream()
    x, y = (torch.stack(part) for part in zip(*[row[:2] for row in benchmark.train_stream[1].dataset], strict=True))
    probe = Probe(penalty, x, y)
    strategy = learner(model, [plugin, probe], groups, **kwargs)
    for experience in benchmark.train_stream:
        strategy.train(experience, shuffle=False)
    return probe.step, probe.expected


def check(step: list[Tensor], gradients: list[Tensor], rates: list[float], tolerance: float) -> None:
    scale = max(float(g.abs().max()) for g in gradients)
    for moved, gradient, rate in zip(step, gradients, rates, strict=True):
        assert torch.allclose(moved / rate, gradient, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("kind", [ewc, distillation])
@pytest.mark.parametrize("name", FEATURES)
def test_the_gradient_of_a_penalty(name: str, kind: Callable[[], Any]) -> None:
    trainer, kwargs, then, tolerance = FEATURES[name]
    step, expected = step_and_expected(network(), kind, trainer=trainer, **kwargs)
    check(step, then(expected), [0.1] * 4, tolerance)


def test_plugins_see_no_scale_in_fp16() -> None:
    seen: dict[str, Tensor] = {}

    class Look(SupervisedPlugin):
        def after_forward(self, strategy: Any, **kwargs: Any) -> None:
            seen["output"] = strategy.mb_output

        def after_backward(self, strategy: Any, **kwargs: Any) -> None:
            seen["early"] = strategy.model[0].weight.grad.clone()

        def before_update(self, strategy: Any, **kwargs: Any) -> None:
            seen["late"] = strategy.model[0].weight.grad.clone()

    strategy = learner(network(), [Look()], trainer=half())
    strategy.train(stream(1).train_stream[0])
    assert strategy.last_fit.precision_plugin.scaler.get_scale() == 64
    assert seen["output"].dtype == torch.float16
    assert torch.equal(seen["early"], seen["late"])
    with pytest.warns(UserWarning, match="fp16 is not supported on CPU. Using `precision='bf16-mixed'` instead"):
        learner(network(), [Look()], trainer={"precision": "16-mixed"}).train(stream(1).train_stream[0])
    assert seen["output"].dtype == torch.bfloat16


@pytest.mark.parametrize("plugin", [partial(GEMPlugin, 8, 5.0), partial(AGEMPlugin, 8, 8)], ids=["GEM", "A-GEM"])
def test_projections_are_the_same_in_fp16(plugin: Callable[[], Any]) -> None:
    def weights(plugins: list[Any], trainer: dict[str, Any]) -> Tensor:
        strategy = learner(network(), plugins, train_epochs=20, trainer=trainer)
        strategy.train(stream(2).train_stream, shuffle=False)
        return torch.cat([p.detach().flatten() for p in strategy.model.parameters()])

    projected = weights([plugin()], {})
    assert torch.allclose(weights([plugin()], half()), projected, atol=0.01)
    assert (weights([], {}) - projected).abs().max() > 0.1


@pytest.mark.parametrize("kind", [ewc, distillation])
@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_the_gradient_of_a_penalty_on_a_compiled_model(backend: str, kind: Callable[[], Any]) -> None:
    if backend == "inductor":  # torch.compile's default
        require_tool("g++")
    step, expected = step_and_expected(torch.compile(network(), backend=backend), kind)  # type: ignore[arg-type]
    check(step, expected, [0.1] * 4, 1e-4)


@pytest.mark.parametrize("kind", [ewc, distillation])
def test_parameter_groups_keep_their_learning_rates(kind: Callable[[], Any]) -> None:
    model = network()
    groups = [{"params": model[0].parameters(), "lr": 0.01}, {"params": model[2].parameters()}]
    step, expected = step_and_expected(model, kind, groups)
    check(step, expected, [0.01, 0.01, 0.1, 0.1], 1e-3)


@pytest.mark.parametrize("kind", [ewc, distillation])
@pytest.mark.parametrize("left_out", [True, False])
def test_frozen_groups_stay_as_they_are(left_out: bool, kind: Callable[[], Any]) -> None:
    model = network()
    model[0].requires_grad_(left_out)
    groups = [{"params": model[2].parameters()}] + ([] if left_out else [{"params": model[0].parameters()}])
    step, expected = step_and_expected(model, kind, groups)
    assert not step[0].any()
    assert not step[1].any()
    check(step[2:], expected[2:], [0.1, 0.1], 1e-4)


@pytest.mark.parametrize(
    "plugin",
    [AGEMPlugin(4, 4), GEMPlugin(4, 0.5), RWalkPlugin(), GSS_greedyPlugin(8, 1, [3])],
    ids=lambda p: type(p).__name__,
)
@pytest.mark.parametrize(
    "how", [{"accumulate_grad_batches": 2}, {"callbacks": [GradientAccumulationScheduler({1: 2})]}]
)
def test_methods_on_the_gradient_of_a_batch_refuse_accumulation(plugin: Any, how: dict[str, Any]) -> None:
    sentence = (
        f"^{type(plugin).__name__} works on the gradient of one batch, which gradient accumulation gives in parts; "
    )
    with pytest.raises(ConfigError, match=sentence + "leave accumulate_grad_batches at 1$"):
        learner(network(), [plugin], trainer=how)


class Zeroes(SupervisedPlugin):
    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        strategy.optimizer.zero_grad()


class Halves(SupervisedPlugin):
    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        for parameter in strategy.model.parameters():
            parameter.grad *= 0.5


class Reads(SupervisedPlugin):
    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        self.norm = sum(float(parameter.grad.norm()) for parameter in strategy.model.parameters())


@pytest.mark.parametrize("plugin", [Zeroes(), Halves()], ids=lambda p: type(p).__name__)
def test_any_plugin_that_changes_partial_gradients_is_stopped(plugin: Any) -> None:
    strategy = learner(network(), [plugin], train_mb_size=4, trainer={"accumulate_grad_batches": 2})
    before = copy.deepcopy(strategy.model.state_dict())
    with pytest.raises(ConfigError, match=r"^a plugin changes the gradients of single batches, which accumulate_grad_"):
        strategy.train(stream().train_stream[0])
    assert all(torch.equal(before[key], value) for key, value in strategy.model.state_dict().items())
    learner(network(), [plugin]).train(stream().train_stream[0])  # nothing is wrong without accumulation
    learner(network(), [Reads()], train_mb_size=4, trainer={"accumulate_grad_batches": 2}).train(
        stream().train_stream[0]
    )


class Weights(SupervisedPlugin):
    """Writes down the weights after every step, and at the end of every experience."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[list[Tensor]] = []
        self.ends: list[Tensor] = []
        self.evaluated: list[Tensor] = []

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        self.steps.append([])

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        self.steps[-1].append(strategy.model[0].weight.detach().clone())

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        self.ends.append(strategy.model[0].weight.detach().clone())

    def before_eval_iteration(self, strategy: Any, **kwargs: Any) -> None:
        self.evaluated.append(strategy.model[0].weight.detach().clone())


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("decay", [None, 0.7])
def test_averaged_weights_end_up_in_the_model(decay: float | None, fresh: bool) -> None:
    """After each experience, for `after_training_exp` already, and of the weights of that experience alone."""

    def make() -> WeightAveraging:
        return WeightAveraging() if decay is None else EMAWeightAveraging(decay=decay)

    path = Weights()
    strategy = learner(
        network(),
        [path],
        train_mb_size=2,
        train_epochs=2,
        eval_every=1,
        trainer={"callbacks": [make if fresh else make()]},
    )
    benchmark = stream(3)
    for count, experience in enumerate(benchmark.train_stream, start=1):
        strategy.train(experience, eval_streams=[benchmark.test_stream])
        steps = path.steps[-1]
        assert len(steps) == 8
        mean = steps[0]
        for n, weight in enumerate(steps[1:], start=1):
            mean = mean + (weight - mean) / (n + 1) if decay is None else decay * mean + (1 - decay) * weight
        assert torch.allclose(strategy.model[0].weight, mean, atol=1e-6)
        assert not torch.allclose(steps[-1], mean, atol=1e-6)
        assert torch.equal(path.ends[-1], strategy.model[0].weight)
        assert len(path.ends) == count
        averaging = next(c for c in strategy.last_fit.callbacks if isinstance(c, WeightAveraging))
        assert averaging._average_model.module.strategy is None  # plugins, memories and data are not copied
    # Within an experience, Avalanche evaluates the weights in training, and so do we.
    assert any(torch.equal(path.evaluated[-4], weight) for weight in path.steps[-1])


def test_the_best_checkpoint_of_each_experience(tmp_path: Path) -> None:
    """A ModelCheckpoint starts each experience afresh: the best of the second may be worse than that of the first."""
    seen: dict[int, dict[int, tuple[float, Tensor]]] = {}

    class Losses(Callback):
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            where = seen.setdefault(strategy.clock.train_exp_counter, {})
            weight = strategy.model[0].weight.detach().clone()
            where[trainer.current_epoch] = float(trainer.callback_metrics["train/loss"]), weight

    class Worse(SupervisedPlugin):
        """Makes the loss rise from the third epoch on, and all of the second experience worse than the first."""

        def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
            with torch.no_grad():
                strategy.model[2].bias += (
                    5.0 * (strategy.clock.train_exp_epochs >= 2) + strategy.clock.train_exp_counter
                )

    best = ModelCheckpoint(tmp_path, monitor="train/loss", save_on_train_epoch_end=True)
    strategy = learner(network(), [Worse()], train_epochs=4, trainer={"callbacks": [best, Losses()]})
    benchmark, found = stream(3), []
    for experience in benchmark.train_stream:
        strategy.train(experience)
        strategy.eval(benchmark.test_stream)
        found.append(strategy.last_fit.checkpoint_callback.best_model_path)
    assert len(set(found)) == 3
    for experience, path in enumerate(found):
        loss, weight = min(seen[experience].values(), key=lambda pair: pair[0])
        assert loss < seen[experience][3][0]
        kept = torch.load(path, weights_only=True)["state_dict"]["model.0.weight"]
        assert torch.equal(kept, weight)


def test_callbacks_of_a_user_keep_their_state() -> None:
    watch = Watch()
    strategy = learner(network(), [], train_mb_size=2, trainer={"callbacks": watch})
    strategy.train(stream(3).train_stream)
    assert watch.batches == 3 * 4


def test_a_schedule_per_experience() -> None:
    rates: list[float] = []

    class Rates(SupervisedPlugin):
        def before_update(self, strategy: Any, **kwargs: Any) -> None:
            rates.append(strategy.optimizer.param_groups[0]["lr"])

    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    schedule = LRSchedulerPlugin(torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5), reset_lr=True)
    strategy = LightningStrategy(
        model=model,
        optimizer=optimizer,
        criterion=nn.MSELoss(),
        train_mb_size=ROWS,
        train_epochs=3,
        evaluator=None,
        plugins=[schedule, Rates()],
    )
    strategy.train(stream(2).train_stream)
    assert rates == pytest.approx([0.1, 0.05, 0.025] * 2)
