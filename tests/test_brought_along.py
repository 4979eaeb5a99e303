"""What researchers bring along, and is of no kind that Avalanche has: as in its own loop."""

import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from avalanche.training.supervised import DER
from avalanche.training.templates import SupervisedTemplate
from lightning.pytorch.callbacks import StochasticWeightAveraging
from torch import nn
from torch.utils.data import DataLoader, Sampler

from parity import Recorder, assert_same, classes, learn, mlp
from raincheck.errors import ConfigError
from raincheck.strategy import LightningLoop, LightningStrategy
from tinytasks import same


class Twice(Sampler[int]):
    """Shows everything twice, and says once."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[int]:
        return iter(2 * torch.randperm(len(self.data)).tolist())


class Sevens(Sampler[list[int]]):
    """Batches of seven; the last, smaller one is not counted."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data) // 7

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.randperm(len(self.data)).tolist()
        return (order[at : at + 7] for at in range(0, len(order), 7))


class Brings(SupervisedPlugin):
    """A loader of its own."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self.make = make

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        strategy.dataloader = self.make(strategy.adapted_dataset)


class LongerThanItSays:
    """All batches of another loader twice."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        yield from self.loader
        yield from self.loader


class Lengthens(SupervisedPlugin):
    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_epochs == 1:
            strategy.dataloader = LongerThanItSays(strategy.dataloader)


class Fills(SupervisedPlugin):
    """A loader that is empty until the epoch begins."""

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        strategy.dataloader = DataLoader(strategy.adapted_dataset.subset([]), batch_size=6)

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        data = strategy.adapted_dataset
        strategy.dataloader = DataLoader(data, batch_size=6, collate_fn=data.collate_fn)


class SkipsSteps(SupervisedPlugin):
    """Every second step, by a method of the strategy's that is put out of action for a moment."""

    def before_update(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_iterations % 2:
            strategy.optimizer_step = lambda: None

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        vars(strategy).pop("optimizer_step", None)


class HalvesGradients(SupervisedPlugin):
    """Wraps the optimizer's step for good when the first gradient is there."""

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        real = strategy.optimizer.step
        if strategy.clock.train_iterations or hasattr(real, "wrapped"):
            return

        def step(*arguments: Any) -> Any:
            for parameter in strategy.model.parameters():
                parameter.grad.mul_(0.5)
            return real(*arguments)

        step.wrapped = True  # type: ignore[attr-defined]
        strategy.optimizer.step = step


class TriplesTheLoss(SupervisedPlugin):
    terms = ("ours", "theirs")  # which are not what our own plugins call so

    def before_backward(self, strategy: Any, **kwargs: Any) -> None:
        strategy.loss = 3 * strategy.loss

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        strategy.backward = lambda: (2 * strategy.loss).backward()


class StopsAtOnce(SupervisedPlugin):
    """The second experience, before its first epoch."""

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_counter == 1:
            strategy.stop_training()


class Thaws(SupervisedPlugin):
    """What was frozen, and no part of the optimizer, learns from the second experience on."""

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        strategy.model.features.requires_grad_(strategy.clock.train_exp_counter > 0)


def loader(**how: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Makes loaders whose arguments are made of the data."""
    return lambda data: DataLoader(data, collate_fn=data.collate_fn, **{name: make(data) for name, make in how.items()})


SIX = {"batch_size": lambda _: 6}
PLUGINS: dict[str, Callable[[], Any]] = {
    "a sampler that gives more than it says": lambda: Brings(loader(sampler=Twice, **SIX)),
    "a batch sampler that gives more than it says": lambda: Brings(loader(batch_sampler=Sevens)),
    "a loader that grows": Lengthens,
    "a loader that is empty at first": Fills,
    "steps that are left out": SkipsSteps,
    "an optimizer's step that is wrapped": HalvesGradients,
    "an experience that is stopped before it begins": StopsAtOnce,
    "another backward, and terms of another kind": TriplesTheLoss,
}


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_does_what_it_does_in_avalanches_loop(name: str) -> None:
    setting = {"beside": lambda *_: [PLUGINS[name]()]}
    assert_same(learn(LightningStrategy, setting), learn(SupervisedTemplate, setting))


@pytest.mark.parametrize(("share", "batches"), [("limit_train_batches", 2), ("limit_val_batches", 8)])
def test_half_of_a_loader_that_gives_more_than_it_says_is_half_of_what_it_says(share: str, batches: int) -> None:
    """It says 4 and gives 8; a share of what is evaluated changes nothing here."""
    setting = {"beside": lambda *_: [Brings(loader(sampler=Twice, **SIX))], "train_epochs": 1}
    assert learn(LightningStrategy, setting, trainer={share: 0.5}).learner.clock.train_iterations == 3 * batches


@pytest.mark.parametrize("plugin", [SkipsSteps, TriplesTheLoss])
def test_and_so_beside_a_strategy_with_a_loop_of_its_own(plugin: type) -> None:
    setting = {"beside": lambda *_: [plugin()], "mem_size": 12, "batch_size_mem": 6}
    ours = type("OurDER", (LightningLoop, DER), {})
    assert_same(learn(ours, setting), learn(DER, setting))


class FinishesEpochs(SupervisedTemplate):
    """Has a loop of its own that is not left when the experience is stopped."""

    def training_epoch(self, **kwargs: Any) -> None:
        for self.mbatch in self.dataloader:  # noqa: B020, as Avalanche's own loop
            self._unpack_minibatch()
            self._before_training_iteration(**kwargs)
            self.optimizer.zero_grad()
            self.loss = self._make_empty_loss()
            self._before_forward(**kwargs)
            self.mb_output = self.forward()
            self._after_forward(**kwargs)
            self.loss += self.criterion()
            self._before_backward(**kwargs)
            self.backward()
            self._after_backward(**kwargs)
            self._before_update(**kwargs)
            self.optimizer_step()
            self._after_update(**kwargs)
            self._after_training_iteration(**kwargs)


class StopsEarly(SupervisedPlugin):
    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_exp_iterations == 1:
            strategy.stop_training()


def test_a_loop_that_does_not_ask_whether_it_is_stopped_ends_its_epoch() -> None:
    setting = {"beside": lambda *_: [StopsEarly()]}
    assert_same(learn(type("Ours", (LightningLoop, FinishesEpochs), {}), setting), learn(FinishesEpochs, setting))


def test_a_plugin_that_stops_has_its_way_whatever_the_trainers_least_number_of_epochs() -> None:
    setting = {"beside": lambda *_: [StopsEarly()], "train_epochs": 4}
    assert_same(learn(LightningStrategy, setting, trainer={"min_epochs": 4}), learn(SupervisedTemplate, setting))


def test_a_loader_that_is_empty_at_first_has_gradients_accumulated() -> None:
    setting = {"beside": lambda *_: [Fills()], "train_epochs": 1}
    learned = learn(LightningStrategy, setting, trainer={"accumulate_grad_batches": 2})
    assert learned.learner.clock.train_iterations == 3 * 4


@pytest.mark.parametrize("epochs", [0, -1])
def test_no_epochs(epochs: int) -> None:
    assert_same(learn(LightningStrategy, train_epochs=epochs), learn(SupervisedTemplate, train_epochs=epochs))


class Exhausted(SupervisedPlugin):
    """An iterator of its own that ends in the middle."""

    def __init__(self, event: str) -> None:
        super().__init__()
        self.left = iter(range(4))
        setattr(self, event, lambda strategy, **kwargs: next(self.left))


@pytest.mark.parametrize("event", ["before_training_epoch", "before_backward", "after_update", "after_eval_forward"])
@pytest.mark.parametrize("kind", [LightningStrategy, SupervisedTemplate])
def test_an_iterator_that_ends_in_a_plugin_does_not_end_the_epoch(kind: type, event: str) -> None:
    with pytest.raises(StopIteration):
        learn(kind, {"beside": lambda *_: [Exhausted(event)]})


class Gaps(Brings):
    """The second batch is None, as of a collate function that finds nothing in it that could be used."""

    def __init__(self, event: str) -> None:
        super().__init__(lambda data: DataLoader(data, batch_size=6, collate_fn=partial(self.collate, data, [])))
        setattr(self, event, super().before_training_exp)

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Not unless it is the event."""

    @staticmethod
    def collate(data: Any, seen: list[Any], rows: list[Any]) -> Any:
        seen.append(rows)
        return None if len(seen) == 2 else data.collate_fn(rows)


@pytest.mark.parametrize("event", ["before_training_exp", "before_eval_exp"])
def test_a_batch_that_is_none_is_not_passed_over(event: str) -> None:
    setting = {"beside": lambda *_: [Gaps(event)]}
    with pytest.raises(AssertionError):
        learn(SupervisedTemplate, setting)
    with pytest.raises(ConfigError, match=r"^the loader gave None in place of a batch, .*; leave what cannot be used "):
        learn(LightningStrategy, setting)


class Interrupted(SupervisedPlugin):
    def after_forward(self, strategy: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt


@pytest.fixture
def ctrl_c_heard() -> Iterator[None]:
    """As at a terminal: what a shell starts in its background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_heard")
def test_ctrl_c_stays_ctrl_c_and_comes_again() -> None:
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            learn(LightningStrategy, {"beside": lambda *_: [Interrupted()]})
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def train(kind: type, model: nn.Module, optimizer: Any, *plugins: Any) -> tuple[Any, list[Any]]:
    torch.manual_seed(0)
    recorder = Recorder()
    strategy = kind(
        model=model, optimizer=optimizer, train_mb_size=6, evaluator=None, plugins=[*plugins, recorder], train_epochs=1
    )
    strategy.train(classes().train_stream)
    return model.state_dict(), recorder.events


def test_what_was_frozen_learns_once_it_is_thawed() -> None:
    found = []
    for kind in (LightningStrategy, SupervisedTemplate):
        torch.manual_seed(0)
        model = mlp()
        model.features.requires_grad_(False)
        beside = nn.Parameter(torch.zeros(1))  # of no model
        optimizer = torch.optim.SGD([*(p for p in model.parameters() if p.requires_grad), beside], 0.05)
        found.append(train(kind, model, optimizer, Thaws()))
    assert same(found[0][0], found[1][0]) and found[0][1] == found[1][1]


def test_what_stays_frozen_stays_out_of_an_optimizer_of_several_groups() -> None:
    """Avalanche's own loop finds no group for it, and raises."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(10, 8), nn.Linear(8, 8), nn.Linear(8, 6))
    model[1].requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    groups = [{"params": list(model[at].parameters()), "lr": rate} for at, rate in ((2, 0.1), (3, 0.01))]
    optimizer = torch.optim.SGD(groups)
    after, _ = train(LightningStrategy, model, optimizer)
    assert [(len(group["params"]), group["lr"]) for group in optimizer.param_groups] == [(2, 0.1), (2, 0.01)]
    assert {name for name, value in after.items() if torch.equal(value, before[name])} == {"1.weight", "1.bias"}


def test_an_optimizer_of_parts_that_were_exchanged_is_refused() -> None:
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    model.classifier = nn.Linear(16, 6)
    sentence = r"^the optimizer holds parameters that are not the model's, and not its classifier\.bias; make it after "
    with pytest.raises(ConfigError, match=sentence):
        LightningStrategy(model=model, optimizer=optimizer, evaluator=None)


def test_a_callback_that_averages_begins_every_experience_anew() -> None:
    def weights(callback: Any) -> Any:
        return learn(LightningStrategy, trainer={"callbacks": [callback]}).weights

    assert same(weights(averaging()), weights(averaging))


def averaging() -> StochasticWeightAveraging:
    return StochasticWeightAveraging(swa_lrs=0.01, swa_epoch_start=1)


class Snapshots(SupervisedTemplate):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checkpoints: list[Any] = []


class Saves(SupervisedTemplate):
    def save(self, path: str) -> None:
        torch.save(self.model.state_dict(), path)


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        (Snapshots, "^Ours has a 'checkpoints' of its own, a name that LightningLoop uses for itself; rename it$"),
        (Saves, "^Saves has a 'save' of its own, a name that LightningLoop uses for itself; rename it$"),
    ],
)
def test_names_that_mean_something_else_are_refused(strategy: type, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        learn(type("Ours", (LightningLoop, strategy), {}))
