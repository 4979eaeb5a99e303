"""Plugins, optimizers and loaders as users write them: LightningStrategy against Avalanche's own loop, bit for bit."""

import copy
import warnings
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import torch
from avalanche.benchmarks.scenarios import DatasetExperience
from avalanche.core import SupervisedPlugin
from avalanche.models import MTSimpleMLP
from avalanche.training import Naive
from avalanche.training.templates import SupervisedTemplate
from lightning.pytorch.callbacks import Callback, LearningRateMonitor
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from parity import MLP, Setting, StopAfterThree, assert_same, classes, learn, mlp
from raincheck.errors import ConfigError
from raincheck.plugins import MAS, PIGWM, SI
from raincheck.strategy import LightningLoop, LightningStrategy
from test_strategy_logging import Kept
from tinytasks import same


class EditsBatch(SupervisedPlugin):
    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        strategy.mbatch = [strategy.mbatch[0] * 2, *strategy.mbatch[1:]]

    def after_forward(self, strategy: Any, **kwargs: Any) -> None:
        strategy.mb_output = strategy.mb_output * 0.5


class NewOptimizer(SupervisedPlugin):
    """In the middle of an epoch."""

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_iterations == 2:
            strategy.optimizer = torch.optim.Adam(strategy.model.parameters(), 0.01)


class NewOptimizerBeforeTheStep(SupervisedPlugin):
    """When the gradient is there already."""

    def before_update(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_iterations == 2:
            strategy.optimizer = torch.optim.Adam(strategy.model.parameters(), 0.01)


class NewModel(SupervisedPlugin):
    """With parameters of the last epoch, and one more in a group of its own."""

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        strategy.model = copy.deepcopy(strategy.model)
        if strategy.clock.train_exp_epochs == 0:
            name = f"more{strategy.clock.train_exp_counter}"
            strategy.model.register_parameter(name, nn.Parameter(torch.zeros(3)))
        strategy.optimizer = torch.optim.SGD(strategy.model.features.parameters(), 0.05)
        more = [p for name, p in strategy.model.named_parameters() if name.startswith("more")]
        strategy.optimizer.add_param_group({"params": more, "lr": 0.3})

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        more = [p for name, p in strategy.model.named_parameters() if name.startswith("more")]
        strategy.loss = strategy.loss + sum((p - 1).square().sum() for p in more)


class Grows(SupervisedPlugin):
    """A loader of two batches, then of four as Avalanche's own, then of twelve."""

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        data = strategy.adapted_dataset.subset(list(range((4, 8, 24)[strategy.clock.train_exp_epochs])))
        strategy.dataloader = DataLoader(data, batch_size=2, shuffle=True, collate_fn=data.collate_fn)


class Noisy:
    """A loader that does not know its length, and draws a random number for each batch."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __iter__(self) -> Iterator[Any]:
        for first, *others in self.loader:
            yield [first + 0.1 * torch.rand(()), *others]


class NoisyLoader(SupervisedPlugin):
    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        strategy.dataloader = Noisy(strategy.dataloader)

    before_eval_exp = before_training_exp


class Longer(Noisy):
    """A loader that says it has fewer batches than it yields."""

    def __len__(self) -> int:
        return 1


class LongerLoader(SupervisedPlugin):
    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        strategy.dataloader = Longer(strategy.dataloader)

    before_eval_exp = before_training_exp


class Counts(IterableDataset[Any]):
    """Data without indices, more than their length says."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __len__(self) -> int:
        return 6

    def __iter__(self) -> Iterator[Any]:
        return iter(self.data)


class IterableLoader(SupervisedPlugin):
    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        data = strategy.adapted_dataset
        strategy.dataloader = DataLoader(Counts(data), batch_size=6, collate_fn=data.collate_fn)


class OwnGenerator(SupervisedPlugin):
    """Draws the order of all epochs and evaluations from one generator: also when a full last batch was taken."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(3)

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        data = strategy.adapted_dataset
        strategy.dataloader = DataLoader(
            data, batch_size=6, shuffle=True, generator=self.generator, collate_fn=data.collate_fn
        )

    before_eval_exp = before_training_exp


class DropoutInEvaluation(SupervisedPlugin):
    def before_eval(self, strategy: Any, **kwargs: Any) -> None:
        strategy.model.train()


class Hooked(SupervisedPlugin):
    """Halves gradients in a hook of the optimizer itself."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        super().__init__()
        optimizer.register_step_pre_hook(self._halve)

    def _halve(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        for parameter in optimizer.param_groups[0]["params"]:
            if parameter.grad is not None:
                parameter.grad *= 0.5


class EvaluatesWithin(SupervisedPlugin):
    """Between backward pass and step."""

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_iterations == 2:
            strategy.eval(strategy.experience.origin_stream.benchmark.test_stream[:1])


class LearnsFromTests(SupervisedPlugin):
    """Adapts the model to each batch before it is evaluated, with the gradients that are there."""

    def before_eval_forward(self, strategy: Any, **kwargs: Any) -> None:
        with torch.enable_grad():
            strategy.model(strategy.mb_x).square().mean().backward()
            strategy.optimizer.step()
            strategy.optimizer.zero_grad()


class OtherLoss(SupervisedTemplate):
    """Puts another loss in place within its own backward."""

    def backward(self) -> None:
        self.loss = self.loss * 2
        self.loss.backward()


class WithoutClosure(torch.optim.SGD):
    def step(self) -> None:  # type: ignore[override]
        super().step()


class IgnoresClosure(torch.optim.SGD):
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        super().step()


class Lookahead:
    """A wrapper of an optimizer that is none itself, and has only what Avalanche asks for."""

    def __init__(self, parameters: Iterator[nn.Parameter]) -> None:
        self.inner = torch.optim.SGD(parameters, 0.05, momentum=0.9)
        self.steps, self.slow = 0, [p.detach().clone() for p in self.inner.param_groups[0]["params"]]

    @property
    def param_groups(self) -> Any:
        return self.inner.param_groups

    def __getattr__(self, name: str) -> Any:
        if name not in ("state", "zero_grad", "state_dict", "load_state_dict"):
            raise AttributeError(name)
        return getattr(self.inner, name)

    def step(self) -> None:
        self.inner.step()
        self.steps += 1
        if self.steps % 3 == 0:
            with torch.no_grad():
                for slow, fast in zip(self.slow, self.param_groups[0]["params"], strict=True):
                    fast.copy_(slow.lerp_(fast, 0.5))


def stepped(parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
    """Has momenta of steps that were taken elsewhere."""
    optimizer = torch.optim.SGD(held := list(parameters), 0.05, momentum=0.9)
    sum(p.square().sum() for p in held).backward()  # type: ignore[union-attr]
    optimizer.step()
    return optimizer


def lazy() -> nn.Module:
    """A network whose shapes the first batch decides."""
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(16), nn.ReLU(), nn.LazyLinear(6))


CASES: dict[str, Setting] = {
    "a lazy network": {"model": lazy},
    "edits the batch": {"beside": lambda *_: [EditsBatch()]},
    "a new optimizer": {"beside": lambda *_: [NewOptimizer()]},
    "a new optimizer before the step": {"beside": lambda *_: [NewOptimizerBeforeTheStep()]},
    "an optimizer that Avalanche fills": {"optimizer": lambda _: torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.05)},
    "an optimizer with a past": {"optimizer": stepped},
    "a new model": {"beside": lambda *_: [NewModel()]},
    "a growing loader": {"beside": lambda *_: [Grows()], "train_epochs": 3},
    "stops in one call for all experiences": {"beside": lambda *_: [StopAfterThree()], "joint": True},
    "a loader without length": {"beside": lambda *_: [NoisyLoader()]},
    "a loader that is longer than it says": {"beside": lambda *_: [LongerLoader()]},
    "data that are longer than they say": {"beside": lambda *_: [IterableLoader()]},
    "a generator of its own": {"beside": lambda *_: [OwnGenerator()]},
    "dropout in evaluation": {"beside": lambda *_: [DropoutInEvaluation()]},
    "hooks of the optimizer": {"beside": lambda _, optimizer: [Hooked(optimizer)]},
    "a step without closure": {"optimizer": lambda parameters: WithoutClosure(parameters, 0.05)},
    "a step that ignores its closure": {"optimizer": lambda parameters: IgnoresClosure(parameters, 0.05)},
    "an optimizer around another": {"optimizer": Lookahead},
    "no epochs": {"train_epochs": 0},
    "an evaluation between backward and step": {"beside": lambda *_: [EvaluatesWithin()]},
    "steps in evaluation": {"beside": lambda *_: [LearnsFromTests()]},
}


@cache
def plain() -> list[Any]:
    """Every hook without any of it."""
    return learn(LightningStrategy).events


@pytest.mark.parametrize("name", CASES)
def test_same_bits_as_avalanche(name: str) -> None:
    ours = learn(LightningStrategy, CASES[name])
    assert_same(ours, learn(SupervisedTemplate, CASES[name]))
    assert ours.events != plain()  # or nothing would be tested


def test_another_loss_in_the_strategys_own_backward() -> None:
    ours = learn(type("LightningOtherLoss", (LightningLoop, OtherLoss), {}))
    assert_same(ours, learn(OtherLoss))
    assert ours.events != plain()


def test_our_penalties_allow_a_network_to_grow() -> None:
    """Every experience brings a head of its own, of which no importance is known while it is learned."""
    setting = {"stream": partial(classes, 3), "model": partial(MTSimpleMLP, **MLP), "beside": lambda *_: [SI(1.0)]}
    assert_same(learn(LightningStrategy, setting), learn(SupervisedTemplate, setting))


@pytest.mark.parametrize("kind", [MAS, PIGWM, SI])
def test_our_penalties_hold_what_was_there(kind: Any) -> None:
    plugin, model = kind(), mlp()
    plugin.importance, plugin.anchor = (
        {name: torch.full_like(p, value) for name, p in model.named_parameters()} for value in (1.0, 0.5)
    )
    known = plugin.distance(model)
    model.register_parameter("more", nn.Parameter(torch.ones(3)))
    assert torch.equal(plugin.distance(model), known) and known > 0


def learner(kind: type = LightningStrategy, *positional: Any, **kwargs: Any) -> Any:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    if positional:
        return kind(model, optimizer, *positional, **kwargs)
    return kind(model=model, optimizer=optimizer, train_mb_size=6, evaluator=None, **kwargs)


def test_arguments_by_position_are_those_of_avalanche() -> None:
    mixed = type("LightningNaive", (LightningLoop, Naive), {})
    for kind in (LightningStrategy, mixed):
        with pytest.warns(UserWarning, match="Your are passing"):
            made = learner(kind, nn.CrossEntropyLoss(), 5, 3, evaluator=None, trainer={"max_steps": 4})
        assert (made.train_mb_size, made.train_epochs, made.trainer_arguments) == (5, 3, {"max_steps": 4})


def test_nothing_is_said_about_a_signature_that_is_ours() -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Avalanche is transitioning")
        learner()


@pytest.mark.parametrize("name", ["max_epochs", "overfit_batches"])
def test_what_would_do_nothing_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^the trainer's {name} is of no use here: .*; leave {name} out$"):
        learner(trainer={name: 3})


def test_a_copy_learns_on() -> None:
    """Also of a strategy that was stopped in the middle of an epoch."""
    stream, made = classes(), learner(plugins=[StopAfterThree()])
    made.train(stream.train_stream[0])
    for one in (made, copied := copy.deepcopy(made)):
        torch.manual_seed(1)
        one.train(stream.train_stream[1])
    assert same(made.model.state_dict(), copied.model.state_dict())


class Adapts(nn.Linear):
    """Has Avalanche's `adaptation`."""

    def adaptation(self, experience: Any) -> None:
        """Nothing to grow by."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.flatten(1))


def test_experiences_without_a_stream() -> None:
    """As they are without a benchmark; Avalanche asks for their stream only to evaluate within `train`."""
    learned = []
    for kind in (LightningStrategy, SupervisedTemplate):
        torch.manual_seed(0)
        model = Adapts(10, 6)
        optimizer = torch.optim.SGD(model.parameters(), 0.05)
        made = kind(model=model, optimizer=optimizer, train_mb_size=6, evaluator=None)
        data = classes().train_stream[0].dataset
        made.train(DatasetExperience(dataset=data, current_experience=0), eval_streams=[])
        learned.append(made.model.state_dict())
    assert same(*learned)


def test_what_callbacks_log_has_one_x_axis() -> None:
    """Three experiences of four steps; `log` of a LightningModule counts from 0, as Lightning does."""

    class Logs(Callback):
        def on_train_batch_end(self, trainer: Any, pl_module: Any, *args: Any) -> None:
            pl_module.log("mine", 1.0)

    kept = Kept()
    made = learner(trainer={"logger": kept, "log_every_n_steps": 1, "callbacks": [LearningRateMonitor("step"), Logs()]})
    made.train(classes().train_stream)
    for name in ("lr-SGD", "mine"):
        assert [step for step, row in kept.rows if name in row] == list(range(12))


def test_callbacks_see_the_optimizer_that_a_plugin_has_put_in_place() -> None:
    seen = []

    class Looks(Callback):
        def on_train_batch_end(self, trainer: Any, pl_module: Any, *args: Any) -> None:
            seen.append(trainer.optimizers[0] is pl_module.strategy.optimizer)

    learner(plugins=[NewOptimizer()], trainer={"callbacks": [Looks()]}).train(classes().train_stream[0])
    assert seen == [True] * 4


def test_a_logger_of_lightnings_choice_is_one_for_all_experiences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made, stream = learner(trainer={"logger": True, "log_every_n_steps": 1}), classes()
    made.train(stream.train_stream)
    made.eval(stream.test_stream)
    assert [path.name for path in (tmp_path / "lightning_logs").iterdir()] == ["version_0"]
