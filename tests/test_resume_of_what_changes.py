"""Also where plugins, criteria or networks change parts in the middle of learning, it ends with the same bits."""

import random
import re
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from avalanche.benchmarks.scenarios import CLScenario, EagerCLStream
from avalanche.core import SupervisedPlugin
from lightning.pytorch import Callback
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler, Sampler
from torchvision import transforms

from interrupted import Forgetful, Interrupt, Remembering, check, equal, learn, undisturbed
from parity import classes
from raincheck import checkpoint
from raincheck.errors import ConfigError, RaincheckWarning
from raincheck.networks import RRGNet
from raincheck.strategy import LightningStrategy
from raincheck.streams import RainExperience
from tinytasks import tiny_stream

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


@pytest.mark.filterwarnings("ignore:a plugin replaced the")
@pytest.mark.parametrize(
    ("plugin", "part", "call", "left"),
    [(OtherLoader, "dataloader", 9, ["last.ckpt"]), (OtherOptimizer, "optimizer", 17, ["experience-1.ckpt"])],
)
def test_what_is_put_in_place_within_an_experience(
    tmp_path: Path, plugin: Any, part: str, call: int, left: list[str]
) -> None:
    with (
        pytest.warns(RaincheckWarning, match=f"^a plugin replaced the {part} in the middle of an experience, which "),
        pytest.raises(SystemError),
    ):
        learn(tmp_path, "after_update", call, plugins=lambda: [plugin()])
    resumed, whole = learn(tmp_path, plugins=lambda: [plugin()]), learn(None, plugins=lambda: [plugin()])
    assert {name: equal(kept, whole[name]) for name, kept in resumed.items()} == dict.fromkeys(whole, True)
    assert {path.name for path in tmp_path.iterdir()} == {"last.ckpt", *left}


def test_what_is_put_in_place_is_told_of_though_nothing_was_saved_within_the_experience(tmp_path: Path) -> None:
    with pytest.warns(RaincheckWarning, match="^a plugin replaced the optimizer in the middle of an experience, "):
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


@pytest.mark.filterwarnings("ignore:a plugin replaced the", "ignore:the .* is of another class")
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


@pytest.mark.filterwarnings("ignore:the criterion is of another class")
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


class Shuffled(Sampler[int]):
    """An order by numbers that somebody else draws from, too."""

    def __init__(self, data: Any, numbers: Any) -> None:
        self.data, self.numbers = data, numbers

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers.permutation(len(self.data)).tolist())


class SharesNumbers(SupervisedPlugin):
    """Keeps one generator for all experiences, for a sampler and for itself."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = np.random.default_rng(3)

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        data = strategy.adapted_dataset
        sampler = Shuffled(data, self.numbers)
        strategy.dataloader = DataLoader(data, batch_size=4, sampler=sampler, collate_fn=data.collate_fn)

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        strategy.mbatch[0] = strategy.mbatch[0] * float(self.numbers.random())

    def state_dict(self) -> dict[str, Any]:
        return {"numbers": self.numbers.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.numbers.bit_generator.state = state["numbers"]


class Shuffles:
    """A loader of nobody's kind."""

    def __init__(self, data: Any, numbers: Any) -> None:
        self.data, self.numbers = data, numbers

    def __iter__(self) -> Iterator[Any]:
        order = list(range(len(self.data)))
        self.numbers.shuffle(order)
        for at in range(0, len(order), 4):
            yield self.data.collate_fn([self.data[index] for index in order[at : at + 4]])


class OwnShuffles(Remembering):
    def __init__(self, numbers: Any) -> None:
        super().__init__()
        self.numbers = numbers

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        strategy.dataloader = Shuffles(strategy.adapted_dataset, self.numbers(strategy.clock.train_exp_counter))


class Late(Shuffled):
    """Has no numbers before its first pass."""

    def __iter__(self) -> Iterator[int]:
        self.numbers = self.numbers or np.random.default_rng(3)
        return super().__iter__()


class Counts(Shuffled):
    """Has other numbers in each pass."""

    def __iter__(self) -> Iterator[int]:
        self.numbers += 1
        return iter(np.random.default_rng(self.numbers).permutation(len(self.data)).tolist())


class ChangedByPasses(Remembering):
    def __init__(self, kind: type[Shuffled], begin: Any) -> None:
        super().__init__()
        self.kind, self.begin = kind, begin

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        data = strategy.adapted_dataset
        sampler = self.kind(data, self.begin)
        strategy.dataloader = DataLoader(data, batch_size=4, sampler=sampler, collate_fn=data.collate_fn)


OWN_NUMBERS = {
    "a sampler": OwnSampler,
    "a sampler, from its first pass on": partial(ChangedByPasses, Late, None),
    "a sampler, by a count of its passes": partial(ChangedByPasses, Counts, 0),
    "a sampler and a plugin": SharesNumbers,
    "a loader, Python's": partial(OwnShuffles, random.Random),
    "a loader, NumPy's old ones": partial(OwnShuffles, np.random.RandomState),
}


@pytest.mark.parametrize("name", OWN_NUMBERS)
@pytest.mark.parametrize(("event", "call"), [("after_update", 3), ("after_update", 11), ("after_update", 15)])
def test_numbers_of_their_own(tmp_path: Path, event: str, call: int, name: str) -> None:
    check(tmp_path, event, call, plugins=lambda: [OWN_NUMBERS[name]()])


@pytest.mark.parametrize("name", ["Late", "Counts"])
def test_what_passes_change_is_named(tmp_path: Path, name: str) -> None:
    plugin = partial(ChangedByPasses, *{"Late": (Late, None), "Counts": (Counts, 0)}[name])
    with pytest.warns(RaincheckWarning, match=f"^{name} keeps something from epoch to epoch that a checkpoint cannot "):
        learn(tmp_path, plugins=lambda: [plugin()])


NUMBERS = np.random.default_rng(5)


class Brightens:
    """A transform with a generator of its own."""

    def __init__(self) -> None:
        self.numbers = random.Random(6)

    def __call__(self, clip: Any) -> Any:
        return clip * self.numbers.random()


class Own(torch.utils.data.Dataset[Any]):
    """Clips under a transform."""

    def __init__(self, clips: Any, transform: Any) -> None:
        self.clips, self.transform = clips, transform

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Any:
        rainy, *rest = self.clips[index]
        return (self.transform(rainy), *rest)


def transformed(transform: Any) -> Any:
    """The tiny stream under a transform that its experiences share."""
    plain = tiny_stream()
    train = [RainExperience(e.name, Own(e.dataset, transform), i) for i, e in enumerate(plain.train_stream)]
    return CLScenario([EagerCLStream("train", train), plain.test_stream])


def by_name(clip: Any) -> Any:
    return clip * NUMBERS.random()


def enclosed() -> Any:
    numbers = torch.Generator().manual_seed(1)
    return lambda clip: clip * torch.rand((), generator=numbers)


OWN_TRANSFORMS = {
    "Brightens": Brightens,
    "enclosed.<locals>.<lambda>": enclosed,
    "by_name": lambda: by_name,
    "partial": lambda: partial(lambda numbers, clip: clip * numbers.rand(), np.random.RandomState(2)),
}


@pytest.mark.parametrize("name", OWN_TRANSFORMS)
def test_data_that_draw_alone_have_nothing_kept(tmp_path: Path, name: str) -> None:
    chain = transforms.Compose([transforms.RandomHorizontalFlip(0.0), OWN_TRANSFORMS[name]()])
    said = f"^{re.escape(name)} draws from a random number generator of its own, which can't be brought back, so nothin"
    with pytest.warns(RaincheckWarning, match=said):
        learn(tmp_path, stream=lambda: transformed(chain), epochs=1)
    assert not list(tmp_path.iterdir())


class Draws(Brightens):
    """One that drew when it was made, and never again."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = self.numbers.random()

    def __call__(self, clip: Any) -> Any:
        return clip * self.factor


def test_data_that_no_longer_draw_are_as_others(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 15, stream=lambda: transformed(Draws()))


class DrawsLate(Brightens):
    """One that draws from its 50th clip on, in the second experience."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __call__(self, clip: Any) -> Any:
        self.calls += 1
        return super().__call__(clip) if self.calls > 49 else clip


def test_data_that_draw_late_are_told_of_then(tmp_path: Path) -> None:
    with pytest.warns(RaincheckWarning, match="^DrawsLate draws from a random number generator of its own"):
        learn(tmp_path, stream=lambda: transformed(DrawsLate()))
    kept = checkpoint.load(tmp_path / "last.ckpt")
    assert kept is not None and kept["clock"]["train_exp_counter"] == 1


def test_where_others_load_it_is_given_to_them_anew(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 15, stream=lambda: transformed(Brightens()), workers=1)


class SetsEpochs(RandomSampler):
    """One that would want to know the epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Nothing."""


class WithEpochs(Remembering):
    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        data = strategy.adapted_dataset
        strategy.dataloader = DataLoader(data, batch_size=4, sampler=SetsEpochs(data), collate_fn=data.collate_fn)


def test_a_sampler_that_counts_epochs_is_told_of(tmp_path: Path) -> None:
    with pytest.warns(RaincheckWarning, match="^SetsEpochs keeps something from epoch to epoch that a checkpoint "):
        learn(tmp_path, plugins=lambda: [WithEpochs()])


class Zeroes(torch.optim.Adam):
    """Goes on with the momentum of what has no gradient now, because it had one before."""

    def zero_grad(self, set_to_none: bool = False) -> None:
        super().zero_grad(set_to_none=False)


class Heads(nn.Module):
    """Of which one learns at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(RRGNet(window=3, width=4) for _ in range(2))

    def forward(self, rainy: Tensor) -> Any:
        return self.heads[random.randrange(2)](rainy)


class ReadsGradients(Remembering):
    """Of the step before."""

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        norms = [float(p.grad.norm()) for p in strategy.model.parameters() if p.grad is not None]
        strategy.optimizer.param_groups[0]["lr"] = 3e-3 / (1 + sum(norms))


class Attributes(nn.Module):
    """A network that keeps something in attributes of many kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.network = RRGNet(window=3, width=4)
        self.register_buffer("mean", torch.zeros(()), persistent=False)
        self.largest, self._seen, self.counts = torch.zeros(()), [torch.zeros(()), 1], {"rainy": 0}
        self.newest: Any = None

    def forward(self, rainy: Tensor) -> Any:
        if self.training:
            self.mean.lerp_(rainy.mean(), 0.1)
            self.largest = torch.maximum(self.largest, rainy.max())
            self._seen[0] += rainy.std()
            self._seen.append(2)
            self.counts["rainy"] += 1
            self.newest = np.asarray(rainy.mean())
        more = 0 if self.newest is None else float(self.newest)
        amount = self.mean + self.largest + self._seen[0] + len(self._seen) + self.counts["rainy"] + more
        return self.network(rainy) * (1 + amount / 100)


class Leaves(Remembering):
    """A number in the strategy."""

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        strategy.temperature = vars(strategy).get("temperature", 1.0) * 0.9
        strategy.mbatch[0] = strategy.mbatch[0] * strategy.temperature


LEFT_BEHIND: dict[str, dict[str, Any]] = {
    "gradients, for the optimizer": {"network": Heads, "optimizer": Zeroes},
    "gradients, for a plugin": {"plugins": lambda: [ReadsGradients()]},
    "attributes of the network": {"network": Attributes},
    "attributes of the strategy": {"plugins": lambda: [Leaves()]},
}


@pytest.mark.parametrize("name", LEFT_BEHIND)
@pytest.mark.parametrize(("event", "call"), [("after_update", 9), ("before_training_exp", 2), ("after_update", 15)])
def test_what_a_step_leaves_behind(tmp_path: Path, event: str, call: int, name: str) -> None:
    check(tmp_path, event, call, **LEFT_BEHIND[name])


class Holds(Forgetful):
    def get_extra_state(self) -> Any:
        return self.named_children

    def set_extra_state(self, state: Any) -> None:
        """Nothing."""


class Steps(torch.optim.Adam):
    """Keeps what no checkpoint can hold from its first step on."""

    def state_dict(self) -> Any:
        return super().state_dict() | {"more": iter([]) if self.state else None}


@pytest.mark.parametrize(("kept", "steps"), [({"network": Holds}, 0), ({"optimizer": Steps}, 2)])
def test_what_no_checkpoint_can_hold_of_the_learners(tmp_path: Path, kept: dict[str, Any], steps: int) -> None:
    """Written, it could not be read again."""
    sentence = rf"^{next(iter(kept.values())).__name__} keeps a [\w.]+ in its state_dict, which no checkpoint can hold"
    with pytest.raises(ConfigError, match=sentence):
        learn(tmp_path, "before_update", steps + 1, **kept)


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
    assert sentence.startswith("the model is of another class, or has other parameters, than when training began, ")
