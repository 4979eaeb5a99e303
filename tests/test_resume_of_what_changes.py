"""Also where plugins, criteria or networks change parts in the middle of learning, it ends with the same bits."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler

from interrupted import Interrupt, Remembering, check, equal, learn, undisturbed
from parity import classes
from raincheck.errors import ConfigError, RaincheckWarning
from raincheck.strategy import LightningStrategy

# Every way to change a part, at several points each: a minute and a half.
pytestmark = pytest.mark.slow


class Wrapped:
    """A loader of which only its iterator is believed."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter(self.loader)


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


def test_what_is_put_in_place_is_told_of_though_nothing_was_saved_within_the_experience(tmp_path: Path) -> None:
    with pytest.warns(RaincheckWarning, match="^a plugin has put another optimizer in place within an experience, "):
        learn(tmp_path, plugins=lambda: [OtherOptimizer()], epochs=1, save_every=3600.0)


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
    """One epoch and row more in every experience, and a network that is dampened step by step; keeps none itself."""

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        strategy.model.dropout.p *= 0.9

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        strategy.train_epochs += 1
        strategy.train_mb_size += 1
        strategy.eval_mb_size += 1


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
