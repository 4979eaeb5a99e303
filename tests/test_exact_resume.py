"""Learning that is interrupted anywhere, and taken up again, ends with the same bits."""

import random
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from avalanche.benchmarks.scenarios import CLScenario, DatasetExperience, EagerCLStream
from avalanche.core import SupervisedPlugin
from avalanche.evaluation import PluginMetric
from avalanche.evaluation.metric_results import MetricValue
from avalanche.evaluation.metrics import (
    Mean,
    accuracy_metrics,
    bwt_metrics,
    class_accuracy_metrics,
    forgetting_metrics,
    loss_metrics,
)
from avalanche.models import MTSimpleMLP
from avalanche.training import DER, Naive
from avalanche.training.plugins import EvaluationPlugin, EWCPlugin
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import (
    EMAWeightAveraging,
    GradientAccumulationScheduler,
    LearningRateMonitor,
    ModelPruning,
    StochasticWeightAveraging,
    Timer,
)
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler

from parity import MLP, classes, mlp
from raincheck.errors import ConfigError, RaincheckWarning
from raincheck.generators import generators
from raincheck.generators import same as nothing_drawn
from raincheck.networks import RRGNet
from raincheck.plugins import EWC, Distillation, RainReview
from raincheck.seam.forgetful import forgetful
from raincheck.strategy import LightningLoop, LightningStrategy
from raincheck.streams import RainExperience
from tinytasks import LossLog, tiny_stream


class Interrupt(SupervisedPlugin):
    """Ends the program at the n-th call of an event."""

    def __init__(self, event: str = "", call: int = 0) -> None:
        super().__init__()
        self.event, self.call, self.calls = event, call, 0
        if event:
            setattr(self, event, self._count)

    def _count(self, strategy: Any, **kwargs: Any) -> None:
        self.calls += 1
        if self.calls == self.call:
            raise SystemError(self.event)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to remember."""


class Forgetful(nn.Module):
    """A network that draws random numbers in each step."""

    def __init__(self) -> None:
        super().__init__()
        self.network, self.dropout = RRGNet(window=3, width=4), nn.Dropout(0.2)

    def forward(self, rainy: Tensor) -> Tensor:
        derained: Tensor = self.dropout(self.network(rainy))
        return derained


class Counted(Callback):
    """A user's callback that keeps what it has seen."""

    def __init__(self) -> None:
        self.batches = 0

    def on_train_batch_end(self, *arguments: Any) -> None:
        self.batches += 1

    def state_dict(self) -> dict[str, Any]:
        return {"batches": self.batches}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.batches = state["batches"]


class Noisy(torch.utils.data.Dataset[Any]):
    """Clips that are not functions of their index: each is noisy, by every generator there is."""

    def __init__(self, clips: Any) -> None:
        self.clips = clips

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Any:
        rainy, clean, label = self.clips[index]
        return rainy + 0.1 * torch.rand(()) + 0.1 * np.random.rand() + 0.1 * random.random(), clean, label


def noisy_stream() -> Any:
    plain = tiny_stream()
    train = [RainExperience(e.name, Noisy(e.dataset), i) for i, e in enumerate(plain.train_stream)]
    return CLScenario([EagerCLStream("train", train), plain.test_stream])


def learn(
    folder: Path | None,
    event: str = "",
    call: int = 0,
    *,
    plugins: Callable[[], Sequence[Any]] = list,
    stream: Callable[[], Any] = tiny_stream,
    workers: int = 0,
    epochs: int = 2,
    trainer: Callable[[], dict[str, Any]] = dict,
    save_every: float = 0.0,
    kind: type = LightningStrategy,
    criterion: type[nn.Module] = nn.L1Loss,
) -> dict[str, Any]:
    """Learns the tiny stream, from where `folder` says, and returns all that is left in the end."""
    torch.manual_seed(1)
    model = Forgetful()
    strategy = kind(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), 3e-3),
        criterion=criterion(),
        train_mb_size=4,
        eval_mb_size=1,
        train_epochs=epochs,
        evaluator=None,
        plugins=[*plugins(), Interrupt(event, call)],
        checkpoints=folder,
        save_every=save_every,
        trainer=(arguments := trainer()),
    )
    torch.manual_seed(2)
    random.seed(2)
    np.random.seed(2)
    rows = (strategy.resume() or {"rows": []})["rows"]
    scenario = stream()
    for experience in scenario.train_stream[strategy.clock.train_exp_counter :]:
        strategy.train(experience, num_workers=workers, shuffle=True)
        strategy.eval(scenario.test_stream)
        rows = [*rows, float(strategy.loss)]
        strategy.save(rows=rows)
    return {
        "weights": model.state_dict(),
        "optimizer": strategy.optimizer.state_dict()["state"],
        "plugins": [plugin.state_dict() for plugin in strategy.plugins if hasattr(plugin, "state_dict")],
        "clock": dict(vars(strategy.clock)),
        "rows": rows,
        "generators": generators(),
        "seen": [callback.state_dict() for callback in arguments.get("callbacks", [])],
    }


def equal(one: Any, other: Any) -> bool:
    """Whether two nests of tensors and primitives are equal, bit for bit."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def rrgnet() -> list[Any]:
    return [Distillation(review=1.0, new=0.3), RainReview(budget=60_000, batch=2), EWC(0.1)]


@cache
def undisturbed(**kwargs: Any) -> dict[str, Any]:
    """The same without interruption, and without checkpoints."""
    return learn(None, **kwargs)


def check(tmp_path: Path, event: str, call: int, **kwargs: Any) -> None:
    with pytest.raises(SystemError, match=event):
        learn(tmp_path / "broken", event, call, **kwargs)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*is of learning that began with other")
        resumed = learn(tmp_path / "broken", **kwargs)
    whole = undisturbed(**kwargs)
    assert {name: equal(kept, whole[name]) for name, kept in resumed.items()} == dict.fromkeys(whole, True)
    assert [path.name for path in (tmp_path / "broken").iterdir()] == ["last.ckpt"]


# Two epochs of six batches in each of three experiences.
POINTS = [
    ("before_training_iteration", 1),
    ("before_training_iteration", 3),
    ("before_forward", 5),
    ("after_backward", 15),
    ("after_update", 6),
    ("after_training_iteration", 22),
    ("before_training_epoch", 4),
    ("after_training_epoch", 3),
    ("before_training_exp", 2),
    ("after_training_exp", 2),
    ("before_eval_iteration", 30),
    ("after_eval", 3),
]


@pytest.mark.parametrize(("event", "call"), POINTS)
def test_an_interruption_changes_no_bit(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, plugins=rrgnet)


@pytest.mark.parametrize("workers", [0, 2])
def test_data_that_draw_random_numbers(tmp_path: Path, workers: int) -> None:
    check(tmp_path, "after_backward", 9, stream=noisy_stream, workers=workers)


def test_the_taken_batches_are_not_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemError):
        learn(tmp_path / "run", "after_update", 5, epochs=1)
    loaded: Counter[int] = Counter()
    clips = type(tiny_stream().train_stream[0].dataset._datasets[0])
    real = clips.__getitem__
    monkeypatch.setattr(clips, "__getitem__", lambda self, i: loaded.update([self.experience]) or real(self, i))
    learn(tmp_path / "run", epochs=1)
    assert loaded[0] == 8 and loaded[1] == loaded[2] == 24  # two batches of four were left of six


@pytest.mark.parametrize("workers", [1, 2])
def test_workers(tmp_path: Path, workers: int) -> None:
    check(tmp_path, "after_backward", 16, workers=workers)


def test_a_users_callbacks_keep_what_they_saw(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 16, trainer=lambda: {"callbacks": [Counted()]})


def test_averaged_weights(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 17, trainer=lambda: {"callbacks": [EMAWeightAveraging(decay=0.8)]})


def test_accumulation_by_a_schedule(tmp_path: Path) -> None:
    """Three steps in the first epoch, six in the second."""
    check(tmp_path, "after_update", 2, trainer=lambda: {"callbacks": [GradientAccumulationScheduler({0: 2, 1: 1})]})


@pytest.mark.filterwarnings("ignore:StochasticWeightAveraging goes on from epoch to epoch")
def test_an_average_of_epochs(tmp_path: Path) -> None:
    average = {"swa_lrs": 1e-3, "swa_epoch_start": 1, "annealing_epochs": 2}
    check(tmp_path, "after_update", 9, trainer=lambda: {"callbacks": [StochasticWeightAveraging(**average)]})


@pytest.mark.filterwarnings("ignore:the model is of another kind")
def test_weights_that_are_pruned_within_an_experience(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 9, trainer=lambda: {"callbacks": [ModelPruning("l1_unstructured", amount=0.3)]})


class Wrapped:
    """A loader of which only its iterator is believed."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter(self.loader)


class Remembering(SupervisedPlugin):
    """Nothing."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to remember."""


class WrapsLoader(Remembering):
    """Before the experience begins, which is done again when it goes on."""

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        strategy.dataloader = Wrapped(strategy.dataloader)


@pytest.mark.parametrize(("event", "call"), [("after_training_epoch", 3), ("after_update", 15)])
def test_a_loader_that_is_longer_than_it_says(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, plugins=lambda: [WrapsLoader()])


class Sub(DataLoader[Any]):
    """One of which nobody knows whether it is as long as it says."""


class OwnLoader(Remembering):
    """A loader that draws the order from a generator of its own."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        data, generator = strategy.adapted_dataset, torch.Generator().manual_seed(4)
        strategy.dataloader = self.kind(
            data, batch_size=4, shuffle=True, generator=generator, collate_fn=data.collate_fn
        )


@pytest.mark.parametrize("kind", [DataLoader, Sub])
@pytest.mark.parametrize(("event", "call"), [("after_training_epoch", 3), ("after_update", 9)])
def test_a_loader_with_a_generator_of_its_own(tmp_path: Path, event: str, call: int, kind: Any) -> None:
    check(tmp_path, event, call, plugins=lambda: [OwnLoader(kind)])


class LooksBack(Remembering):
    """Takes the learning rate from what the last iteration left behind."""

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.mb_output is not None:
            last = strategy.loss + strategy.mb_output.mean() + strategy.mb_x.mean()
            strategy.optimizer.param_groups[0]["lr"] = 3e-3 * float(last)


@pytest.mark.parametrize(("event", "call"), [("after_training_epoch", 3), ("after_update", 9)])
def test_a_plugin_that_looks_back(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, plugins=lambda: [LooksBack()])


class Freezes(Remembering):
    """The stem, and dropout, from the second epoch of the first experience on."""

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        strategy.model.dropout.train(strategy.clock.train_exp_epochs == 0)
        if strategy.clock.train_exp_epochs == 1:
            strategy.model.network.stem.requires_grad_(False)


class Stops(Remembering):
    """Every experience after its third step."""

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_iterations == 2:
            strategy.stop_training()


class OtherLoader(Remembering):
    """More batches in the second epoch of an experience than in the first."""

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        data = strategy.adapted_dataset.subset(list(range(8 if strategy.clock.train_exp_epochs == 0 else 16)))
        strategy.dataloader = DataLoader(data, batch_size=4, shuffle=True, collate_fn=data.collate_fn)


class OtherOptimizer(Remembering):
    """In the second experience."""

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_counter == 1 and strategy.clock.train_exp_iterations == 2:
            strategy.optimizer = torch.optim.SGD(strategy.model.parameters(), 0.01, momentum=0.9)


class Regroups(Remembering):
    """The stem learns in a group of its own, slower, from the second epoch of the first experience on."""

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_counter == 0 and strategy.clock.train_exp_epochs == 1:
            slow = list(strategy.model.network.stem.parameters())
            only = strategy.optimizer.param_groups[0]
            only["params"] = [p for p in only["params"] if all(p is not other for other in slow)]
            strategy.optimizer.add_param_group({"params": slow, "lr": 1e-4})


class StopsAfterFour(Callback):
    def on_train_batch_end(self, trainer: Any, module: Any, *arguments: Any) -> None:
        trainer.should_stop = module.strategy.clock.train_exp_iterations == 4


class Growing(nn.Module):
    """A criterion that changes with every batch."""

    batches: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, derained: Tensor, clean: Tensor) -> Tensor:
        self.batches += 1
        difference = derained - clean
        return difference.abs().mean() + 0.1 * self.batches * difference.square().mean()


@pytest.mark.parametrize(("event", "call"), [("after_update", 9), ("before_training_exp", 2)])
def test_what_an_epochs_beginning_has_frozen(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, plugins=lambda: [Freezes()])


@pytest.mark.parametrize(("event", "call"), [("after_update", 5), ("after_update", 9), ("before_training_exp", 2)])
def test_an_optimizer_whose_groups_change(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, plugins=lambda: [Regroups()])


@pytest.mark.parametrize(("event", "call"), [("after_training_epoch", 1), ("before_training_exp", 2)])
def test_an_experience_that_a_plugin_stops(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, plugins=lambda: [Stops()])


def test_an_experience_that_a_callback_stops(tmp_path: Path) -> None:
    check(tmp_path, "after_training_epoch", 1, trainer=lambda: {"callbacks": [StopsAfterFour()]})


@pytest.mark.parametrize(("event", "call"), [("after_update", 5), ("before_training_exp", 2)])
def test_a_criterion_with_a_state(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, criterion=Growing)


def test_a_folder_of_another_criterion_is_refused(tmp_path: Path) -> None:
    learn(tmp_path, criterion=Growing, epochs=1)
    with pytest.raises(ConfigError, match=r"^the checkpoint is of another criterion \(.*\); use another folder$"):
        learn(tmp_path, epochs=1)


@pytest.mark.filterwarnings("ignore:a plugin has put another")
@pytest.mark.parametrize(
    ("plugin", "part", "call", "left"),
    [(OtherLoader, "dataloader", 9, ["last.ckpt"]), (OtherOptimizer, "optimizer", 17, ["experience-1.ckpt"])],
)
def test_what_is_put_in_place_within_an_experience(
    tmp_path: Path, plugin: Any, part: str, call: int, left: list[str]
) -> None:
    with (
        pytest.warns(RaincheckWarning, match=f"^a plugin has put another {part} in place within an experience, which "),
        pytest.raises(SystemError),
    ):
        learn(tmp_path, "after_update", call, plugins=lambda: [plugin()])
    resumed, whole = learn(tmp_path, plugins=lambda: [plugin()]), learn(None, plugins=lambda: [plugin()])
    assert {name: equal(kept, whole[name]) for name, kept in resumed.items()} == dict.fromkeys(whole, True)
    assert {path.name for path in tmp_path.iterdir()} == {"last.ckpt", *left}


class Exchanges(Remembering):
    """A part for one of another kind, when an event comes for the first time in the second experience."""

    def __init__(self, part: str, event: str) -> None:
        super().__init__()
        self.part = part
        setattr(self, event, self._exchange)

    def _exchange(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_counter != 1:
            return
        if self.part == "criterion" and type(strategy._criterion) is nn.L1Loss:
            strategy._criterion = Growing()
        if self.part == "optimizer" and type(strategy.optimizer) is torch.optim.Adam:
            strategy.optimizer = torch.optim.SGD(strategy.model.parameters(), 0.01, momentum=0.9)


EXCHANGES = [
    ("criterion", "before_training_exp"),
    ("criterion", "after_training_iteration"),
    ("optimizer", "before_training_exp"),
]


@pytest.mark.filterwarnings("ignore:a plugin has put another", "ignore:the .* is of another kind")
@pytest.mark.parametrize(("part", "event"), EXCHANGES)
@pytest.mark.parametrize("call", [17, 29])
def test_a_part_that_a_plugin_exchanges_for_good(tmp_path: Path, part: str, event: str, call: int) -> None:
    """Killed in the experience in which it does, and in the next."""
    with pytest.raises(SystemError):
        learn(tmp_path, "after_update", call, plugins=lambda: [Exchanges(part, event)])
    resumed, whole = (learn(folder, plugins=lambda: [Exchanges(part, event)]) for folder in (tmp_path, None))
    assert {name: equal(kept, whole[name]) for name, kept in resumed.items()} == dict.fromkeys(whole, True)


class Collects(nn.Module):
    """A criterion that keeps its first five values."""

    values: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("values", torch.ones(1))

    def forward(self, derained: Tensor, clean: Tensor) -> Tensor:
        loss = (derained - clean).abs().mean()
        if len(self.values) < 6:
            self.values = torch.cat([self.values, loss.detach()[None]])
        return loss * self.values.mean()


@pytest.mark.filterwarnings("ignore:the criterion is of another kind")
@pytest.mark.parametrize("call", [3, 9, 15])
def test_a_part_that_changes_its_shape(tmp_path: Path, call: int) -> None:
    with pytest.raises(SystemError):
        learn(tmp_path, "after_update", call, criterion=Collects)
    resumed, whole = learn(tmp_path, criterion=Collects), undisturbed(criterion=Collects)
    assert {name: equal(kept, whole[name]) for name, kept in resumed.items()} == dict.fromkeys(whole, True)


class OwnCriterion(LightningStrategy):
    """Has another criterion than it was given, in every process."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._criterion = Growing()


def test_a_part_that_a_strategy_exchanges_when_it_is_made(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 17, kind=OwnCriterion)


def learn_lazily(folder: Path | None, call: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(6))
    strategy = LightningStrategy(
        model=model, optimizer=torch.optim.SGD(model.parameters(), 0.05, momentum=0.9), train_mb_size=6, evaluator=None,
        plugins=[Interrupt("after_update", call)], checkpoints=folder, save_every=0,
    )  # fmt: skip
    strategy.resume()
    for experience in classes().train_stream[strategy.clock.train_exp_counter :]:
        strategy.train(experience, eval_streams=[])
        strategy.save()
    return dict(model.state_dict())


@pytest.mark.parametrize("call", [3, 6])
def test_a_network_whose_shapes_its_data_decide(tmp_path: Path, call: int) -> None:
    with pytest.raises(SystemError):
        learn_lazily(tmp_path, call)
    assert equal(learn_lazily(tmp_path), learn_lazily(None))


def test_accumulated_gradients(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 4, trainer=lambda: {"accumulate_grad_batches": 2})


def test_bfloat16(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 16, trainer=lambda: {"precision": "bf16-mixed"})


@pytest.mark.parametrize("call", [9, 17])
def test_weights_of_another_type(tmp_path: Path, call: int) -> None:
    check(tmp_path, "after_update", call, trainer=lambda: {"precision": "64-true"})


def test_a_folder_of_other_plugins_is_refused(tmp_path: Path) -> None:
    learn(tmp_path, plugins=rrgnet, epochs=1)
    with pytest.raises(
        ConfigError, match=r"^the checkpoint is of the plugins .*'EWC', .* not of .*; use another folder$"
    ):
        learn(tmp_path, plugins=lambda: rrgnet()[:2])


def test_what_cannot_be_saved_is_known() -> None:
    def made(kind: type, plugins: Sequence[Any] = (), **kwargs: Any) -> Any:
        model = RRGNet(window=3, width=4)
        return kind(
            model=model, optimizer=torch.optim.SGD(model.parameters()), criterion=nn.L1Loss(), evaluator=None,
            plugins=list(plugins), **kwargs,
        )  # fmt: skip

    class LightningNaive(LightningLoop, Naive):
        """Chooses plugins only."""

    class LightningDER(LightningLoop, DER):
        """Has a memory of its own."""

    class Mine(LightningStrategy):
        """Overrides an event."""

        def _after_training_exp(self, **kwargs: Any) -> None:
            super()._after_training_exp(**kwargs)

    assert forgetful(made(LightningStrategy, [*rrgnet(), LossLog()])) == "LossLog"
    assert forgetful(made(LightningStrategy, [EWCPlugin(1.0)])) == "EWCPlugin"
    assert forgetful(made(LightningStrategy, rrgnet())) is None
    assert forgetful(made(LightningNaive)) is None
    assert forgetful(made(LightningDER, mem_size=2)) == "DER"
    assert forgetful(made(Mine)) == "Mine"
    assert forgetful(made(Wary)) is None
    with pytest.warns(
        RaincheckWarning, match=r"^EWCPlugin can't save what it remembers, so nothing is kept in states a"
    ):
        assert made(LightningStrategy, [EWCPlugin(1.0)], checkpoints="states").checkpoints is None


class Slows(Callback):
    """A user's callback with a memory of which no checkpoint knows, and a say in what is learned."""

    def __init__(self) -> None:
        self.batches = 0

    def on_train_batch_end(self, trainer: Any, *arguments: Any) -> None:
        self.batches += 1
        trainer.optimizers[0].param_groups[0]["lr"] = 3e-3 / (1 + self.batches)


class Stateless(Callback):
    def on_train_batch_end(self, trainer: Any, *arguments: Any) -> None:
        """Nothing."""


class Silent(Callback):
    def __init__(self) -> None:
        self.attribute = 1


class Module(SupervisedPlugin, nn.Module):
    """A plugin that is a torch module, and remembers more than its parameters."""

    def __init__(self, **more: Any) -> None:
        SupervisedPlugin.__init__(self)
        nn.Module.__init__(self)
        self.scale = nn.Parameter(torch.ones(()))
        vars(self).update(more)


def test_a_plugin_that_is_a_module_is_believed_for_its_parameters_only() -> None:
    found = []
    for plugin in (Module(), Module(last=deque())):
        model = RRGNet(window=3, width=4)
        optimizer = torch.optim.SGD(model.parameters())
        strategy = LightningStrategy(model=model, optimizer=optimizer, evaluator=None, plugins=[plugin])
        found.append(forgetful(strategy))
    assert found == [None, "Module"]


class Adaptable(nn.Linear):
    """One that grows, if by nothing."""

    def adaptation(self, experience: Any) -> None:
        """Nothing."""

    def forward(self, pictures: Tensor) -> Tensor:
        return super().forward(pictures.flatten(1))


def test_a_network_that_grows_by_experiences_of_no_stream(tmp_path: Path) -> None:
    model = Adaptable(10, 6)
    strategy = LightningStrategy(
        model=model, optimizer=torch.optim.SGD(model.parameters(), 0.1), evaluator=None, checkpoints=tmp_path
    )
    experience = DatasetExperience(dataset=classes().train_stream[0].dataset, current_experience=0)
    with pytest.warns(RaincheckWarning, match="^a network that grows has met an experience of no stream, "):
        strategy.train(experience, eval_streams=[])
    assert strategy.checkpoints is None


def test_callbacks_that_cannot_be_saved_are_known() -> None:
    strategy = type("S", (), {"plugins": [], "state_dict": None})
    harmless = [Stateless(), Silent(), Counted(), EMAWeightAveraging(), Timer(), LearningRateMonitor()]
    assert forgetful(strategy, harmless) is None
    assert forgetful(strategy, [*harmless, Slows()]) == "Slows"


@pytest.mark.parametrize("given", [Slows(), Slows], ids=["an instance", "a factory"])
def test_a_callback_without_a_state_dict_has_nothing_kept(tmp_path: Path, given: Any) -> None:
    with pytest.warns(RaincheckWarning, match=r"^Slows can't save what it remembers, so nothing is kept in .*; give "):
        learn_some(tmp_path, [given])
    assert not list(tmp_path.iterdir())


def learn_some(folder: Path, callbacks: list[Any], plugins: Sequence[Any] = ()) -> None:
    model = RRGNet(window=3, width=4)
    strategy = LightningStrategy(
        model=model, optimizer=torch.optim.SGD(model.parameters()), criterion=nn.L1Loss(), train_mb_size=8,
        evaluator=None, plugins=list(plugins), checkpoints=folder, save_every=0, trainer={"callbacks": callbacks},
    )  # fmt: skip
    strategy.train(tiny_stream().train_stream[0])
    strategy.save()


def test_generators_are_told_apart() -> None:
    for draw in (random.random, np.random.rand, lambda: torch.rand(())):
        before = generators()
        assert nothing_drawn(before, generators())
        draw()
        assert not nothing_drawn(before, generators())


class Remembers(SupervisedPlugin):
    """A user's plugin with a memory of many kinds, each of which a checkpoint holds."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Any] = {
            "list": [],
            "sum": 0.0,
            "array": np.zeros(3),
            "best": np.float64(9.0),
            "set": set(),
        }

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        loss = float(strategy.loss.detach())
        self.kept["list"].append((strategy.clock.train_iterations, strategy.mb_x.mean().cpu()))
        self.kept["sum"] += loss
        self.kept["array"] = self.kept["array"] + np.random.rand(3)
        self.kept["best"] = np.minimum(self.kept["best"], loss)
        self.kept["set"].add(int(100 * loss))

    def state_dict(self) -> dict[str, Any]:
        return self.kept

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.kept = state


class Wary(LightningStrategy):
    """A user's strategy with a memory of its own, which has a say in what is learned: the mean of all losses."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.total, self.steps = torch.zeros(()), 0

    def criterion(self) -> Any:
        loss = super().criterion()
        if self.is_training:
            self.total, self.steps = self.total + loss.detach(), self.steps + 1
            return loss * self.total / self.steps
        return loss

    def state_dict(self) -> dict[str, Any]:
        return {"total": self.total, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.total, self.steps = state["total"], state["steps"]


@pytest.mark.parametrize(("event", "call"), [("after_backward", 9), ("before_training_exp", 3)])
def test_a_strategys_own_memory(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, kind=Wary, epochs=1)


@dataclass
class Point:
    """What a checkpoint can't hold."""

    x: float = 0.0


@pytest.mark.parametrize("kept", [Point(), deque([1]), [{"a": (1, Point())}], np.array([None])], ids=repr)
def test_what_no_checkpoint_can_hold_is_refused_before_anything_is_learned(tmp_path: Path, kept: Any) -> None:
    class Keeps(LossLog):
        def state_dict(self) -> dict[str, Any]:
            return {"kept": kept}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            """Never called."""

    log = Keeps()
    sentence = (
        r"^Keeps keeps a [\w.]+ in its state_dict, which no checkpoint can hold safely; make it tensors, arrays, n"
    )
    with pytest.raises(ConfigError, match=sentence):
        learn(tmp_path, plugins=lambda: [log])
    assert not log.losses


def test_what_no_checkpoint_can_hold_of_a_callback_is_refused_too(tmp_path: Path) -> None:
    class KeepsPath(Counted):
        def state_dict(self) -> dict[str, Any]:
            return {"path": tmp_path, "batches": self.batches}

    kept = KeepsPath()
    with pytest.raises(ConfigError, match=r"^KeepsPath keeps a pathlib\.[\w.]+ in its state_dict, which no check"):
        learn_some(tmp_path, [lambda: kept])
    assert not kept.batches


class Steps(PluginMetric[int]):
    """A user's own metric: batches since the beginning, and the largest of each experience's losses."""

    def __init__(self) -> None:
        super().__init__()
        self.steps, self.largest = 0, {}
        self.mean = Mean()

    def reset(self, **kwargs: Any) -> None:
        """It counts on."""

    def result(self, **kwargs: Any) -> int:
        return self.steps

    def after_training_iteration(self, strategy: Any) -> Any:
        self.steps += 1
        number, loss = strategy.clock.train_exp_counter, float(strategy.loss)
        self.largest[number] = max(loss, self.largest.get(number, 0.0))
        self.mean.update(loss)

    def after_training_exp(self, strategy: Any) -> Any:
        found = [float(self.steps), *self.largest.values(), self.mean.result()]
        return [MetricValue(self, f"Steps/{i}", value, self.steps) for i, value in enumerate(found)]

    def __str__(self) -> str:
        return "Steps"


def evaluator() -> EvaluationPlugin:
    """Metrics that add up over batches, over experiences, and over everything."""
    return EvaluationPlugin(
        Steps(),
        accuracy_metrics(minibatch=True, epoch=True, epoch_running=True, experience=True, stream=True),
        loss_metrics(epoch=True),
        forgetting_metrics(experience=True, stream=True),
        bwt_metrics(experience=True),
        class_accuracy_metrics(epoch=True),
        loggers=[],
    )


def learn_classes(folder: Path | None, event: str = "", call: int = 0) -> dict[str, Any]:
    """A classification whose network grows a head with every experience, also with those that it is evaluated on."""
    torch.manual_seed(1)
    model, benchmark = MTSimpleMLP(**MLP), classes(heads=3)
    strategy = LightningStrategy(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), 0.01),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=6,
        eval_mb_size=12,
        evaluator=evaluator,
        plugins=[remembers := Remembers(), Interrupt(event, call)],
        checkpoints=folder,
        save_every=0,
    )
    for seed in (torch.manual_seed, random.seed, np.random.seed):
        seed(2)
    strategy.resume(benchmark.train_stream, benchmark.test_stream)
    for experience in benchmark.train_stream[strategy.clock.train_exp_counter :]:
        strategy.train(experience)
        strategy.eval(benchmark.test_stream[: experience.current_experience + 1])
        strategy.save()
    return {
        "weights": model.state_dict(),
        "optimizer": strategy.optimizer.state_dict(),
        "metrics": dict(strategy.evaluator.get_all_metrics()),
        "last": strategy.evaluator.get_last_metrics(),
        "kept": remembers.kept,
        "clock": dict(vars(strategy.clock)),
        "drawn": torch.rand(1),
    }


@cache
def undisturbed_classes() -> dict[str, Any]:
    """The same without interruption, and without checkpoints."""
    return learn_classes(None)


@pytest.mark.parametrize(("event", "call"), [("after_update", 6), ("before_training_exp", 3), ("after_eval_exp", 2)])
def test_metrics_own_plugins_and_networks_that_grow(tmp_path: Path, event: str, call: int) -> None:
    with pytest.raises(SystemError):
        learn_classes(tmp_path, event, call)
    resumed, whole = learn_classes(tmp_path), undisturbed_classes()
    assert {name: equal(kept, whole[name]) for name, kept in resumed.items()} == dict.fromkeys(whole, True)
    assert (
        len(whole["metrics"]) > 20 and len(whole["kept"]["list"]) == 12 and len(whole["optimizer"]["state"]) == 8
    )  # of two layers, and three heads


def test_a_network_that_grew_wants_its_streams(tmp_path: Path) -> None:
    learn_classes(tmp_path)
    model = MTSimpleMLP(**MLP)
    strategy = LightningStrategy(
        model=model, optimizer=torch.optim.SGD(model.parameters(), 0.1), evaluator=None, checkpoints=tmp_path
    )
    with pytest.raises(
        ConfigError, match=r"^the checkpoint's network has grown with experiences of the stream 'train';"
    ):
        strategy.resume()


class Phases(Remembering):
    """Learns from every experience twice."""

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        if not vars(strategy).get("again"):
            strategy.again = True
            strategy.make_train_dataloader()
            strategy._train_exp(strategy.experience, [])
            strategy.again = False


@pytest.mark.parametrize(("event", "call"), [("after_update", 9), ("after_update", 15), ("before_training_exp", 2)])
def test_two_fits_of_one_experience(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, plugins=lambda: [Phases()])


def learn_without_saving(
    folder: Path, rate: float = 0.05, seed: int = 0, size: int = 6, criterion: Any = F.cross_entropy
) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    model = mlp()
    strategy = LightningStrategy(
        model=model, optimizer=torch.optim.SGD(model.parameters(), rate), criterion=criterion, train_mb_size=size,
        evaluator=None, checkpoints=folder, save_every=0,
    )  # fmt: skip
    strategy.train(classes().train_stream)
    return dict(model.state_dict())


def test_a_folder_of_other_learning_is_refused(tmp_path: Path) -> None:
    first = learn_without_saving(tmp_path)
    assert equal(learn_without_saving(tmp_path), first)
    sentence = r"/experience-0.ckpt is of learning with another "
    rates = r"lr of the optimizer \(0.05 then, 0.5 now\)"
    with pytest.raises(ConfigError, match=f"{sentence}{rates}; use another folder$"):
        learn_without_saving(tmp_path, rate=0.5)
    with pytest.raises(ConfigError, match=rf"{sentence}batch size \(6 then, 4 now\); use another folder$"):
        learn_without_saving(tmp_path, size=4)
    criteria = r"criterion \(cross_entropy then, CrossEntropyLoss now\)"
    with pytest.raises(ConfigError, match=f"{sentence}{criteria}; use another folder$"):
        learn_without_saving(tmp_path, criterion=nn.CrossEntropyLoss())
    with pytest.warns(RaincheckWarning, match="/experience-0.ckpt is of learning that began with other random "):
        learn_without_saving(tmp_path, seed=7)


class OwnSampler(Remembering):
    """Another order in every epoch, from numbers of its own."""

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        data, own = strategy.adapted_dataset, torch.Generator().manual_seed(strategy.clock.train_exp_counter)
        sampler = RandomSampler(data, generator=own)
        strategy.dataloader = DataLoader(data, batch_size=4, sampler=sampler, collate_fn=data.collate_fn)


@pytest.mark.filterwarnings("ignore:RandomSampler goes on from epoch to epoch")
@pytest.mark.parametrize(("event", "call"), [("after_update", 3), ("after_update", 11)])
def test_a_sampler_with_numbers_of_its_own(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, plugins=lambda: [OwnSampler()])


def test_a_sampler_with_numbers_of_its_own_is_told_of(tmp_path: Path) -> None:
    with pytest.warns(RaincheckWarning, match="^RandomSampler goes on from epoch to epoch in a way that no "):
        learn(tmp_path, plugins=lambda: [OwnSampler()])


class Weighted(nn.Module):
    """A criterion with a number of its own, which is no buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = 1.0

    def forward(self, derained: Tensor, clean: Tensor) -> Tensor:
        self.weight *= 0.9
        return self.weight * (derained - clean).abs().mean()


class Longer(Remembering):
    """One epoch more in every experience, and a network that is dampened step by step; keeps neither itself."""

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        strategy.model.dropout.p *= 0.9

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        strategy.train_epochs += 1


@pytest.mark.parametrize(("event", "call"), [("after_update", 9), ("after_update", 15), ("before_training_exp", 2)])
def test_plain_numbers_of_criterion_network_and_strategy(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, plugins=lambda: [Longer()], criterion=Weighted)


class Extends(Remembering):
    """Gives the network more parameters, by no adaptation of Avalanche's."""

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_counter == 1:
            strategy.model.more = nn.Linear(1, 1)


def test_a_network_that_a_plugin_extends_is_told_of_once(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        learn(tmp_path, plugins=lambda: [Extends()], epochs=1)
    told = [str(warning.message) for warning in caught if issubclass(warning.category, RaincheckWarning)]
    (sentence,) = told
    assert sentence.startswith("the model is of another kind, or has other parameters, than when learning began, ")
