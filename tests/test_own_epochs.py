"""Training loops of a strategy's own that no batch-at-a-time reading fits, against Avalanche's own run of them."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from avalanche.training.supervised.mer import MER
from avalanche.training.templates import SupervisedTemplate
from lightning.pytorch.callbacks import Callback, EarlyStopping, WeightAveraging
from torch import nn
from torch.utils.data import DataLoader

from parity import Setting, StopAfterThree, assert_same, classes, learn, mlp
from raincheck.errors import ConfigError, RaincheckWarning
from raincheck.seam.own_epoch import is_plain_epoch
from raincheck.seam.refusals import refuse_several
from raincheck.strategy import LightningLoop
from test_brought_along import Exhausted
from test_strategy_features import half
from tinytasks import same


class OneBatch(SupervisedTemplate):
    """What Avalanche's loop does with a batch, for loops of other kinds to call.

    FinishesEpochs (test_brought_along.py) says the same again, because its source is to be read.
    """

    def learn_it(self, **kwargs: Any) -> None:
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

    def shake(self) -> None:
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.mul_(1 + 0.01 * torch.rand(1))


class Counting(OneBatch):
    """Reads the loader before its loop, and has every third batch be the one before."""

    def training_epoch(self, **kwargs: Any) -> None:
        assert len(self.dataloader) == 4
        assert self.dataloader.batch_sizes == [6]
        last = None
        for number, self.mbatch in enumerate(self.dataloader):  # noqa: B020, as Avalanche's own loops
            if number % 3 == 2:
                self.mbatch = last
            last = self.mbatch
            self.learn_it(**kwargs)


class Leaves(OneBatch):
    """After two batches of four, the third never asked for."""

    def training_epoch(self, **kwargs: Any) -> None:
        for number, self.mbatch in enumerate(self.dataloader):  # noqa: B020
            self.learn_it(**kwargs)
            if number == 1:
                return


class LeavesAtTheEnd(OneBatch):
    def training_epoch(self, **kwargs: Any) -> None:
        for self.mbatch in self.dataloader:  # noqa: B020
            self.learn_it(**kwargs)
            if self._stop_training:
                break


class Around(OneBatch):
    """Draws random numbers before Avalanche's loop, and changes weights after it."""

    def training_epoch(self, **kwargs: Any) -> None:
        torch.rand(3)
        super().training_epoch(**kwargs)
        self.shake()


class Twice(OneBatch):
    def training_epoch(self, **kwargs: Any) -> None:
        for _ in range(2):
            for self.mbatch in self.dataloader:  # noqa: B020
                self.learn_it(**kwargs)


class TwiceTheSame(OneBatch):
    def training_epoch(self, **kwargs: Any) -> None:
        loader = self.dataloader
        for _ in range(2):
            for self.mbatch in loader:
                self.learn_it(**kwargs)


class Pairs(OneBatch):
    """Takes two batches for a step."""

    def training_epoch(self, **kwargs: Any) -> None:
        batches = iter(self.dataloader)
        for self.mbatch in batches:
            if other := next(batches, None):
                self.mbatch = [torch.cat(both) for both in zip(self.mbatch, other, strict=True)]
            self.learn_it(**kwargs)


class Beside(OneBatch):
    def training_epoch(self, **kwargs: Any) -> None:
        for self.mbatch, rate in zip(self.dataloader, torch.rand(100), strict=False):  # noqa: B020
            self.optimizer.param_groups[0]["lr"] = float(rate) / 20
            self.learn_it(**kwargs)


class OtherData(OneBatch):
    """Learns from a loader of its own."""

    def training_epoch(self, **kwargs: Any) -> None:
        for self.mbatch in DataLoader(self.adapted_dataset, 5, shuffle=True):  # noqa: B020
            self.learn_it(**kwargs)


class NoData(OneBatch):
    def training_epoch(self, **kwargs: Any) -> None:
        self.shake()


class Remembers(SupervisedTemplate):
    """Carries a number from batch to batch in a local variable, in the form of Avalanche's loop otherwise."""

    def training_epoch(self, **kwargs: Any) -> None:
        for self.mbatch in self.dataloader:  # noqa: B020
            self._unpack_minibatch()
            self._before_training_iteration(**kwargs)
            self.optimizer.zero_grad()
            self.mb_output = self.forward()
            self.loss = self.criterion()
            if self.clock.train_exp_iterations % 2:
                self.loss = self.loss * earlier  # noqa: F821
            earlier = self.loss.detach()  # noqa: F841, ruff reads a loop's body once
            self.backward()
            self.optimizer_step()
            self._after_training_iteration(**kwargs)


class NotSure(OneBatch):
    """Takes some steps only, itself, and calls one of the hooks."""

    def training_epoch(self, **kwargs: Any) -> None:
        for self.mbatch in self.dataloader:  # noqa: B020
            self._unpack_minibatch()
            self.optimizer.zero_grad()
            self.mb_output = self.forward()
            self.loss = self.criterion()
            self.loss.backward()
            if self.loss > 1.5:
                self.optimizer.step()
            self._after_training_iteration(**kwargs)


OWN = [Counting, Leaves, LeavesAtTheEnd, Around, Twice, TwiceTheSame, Pairs, Beside, OtherData, NoData, Remembers]
OWN += [NotSure]
STOPPED: Setting = {"beside": lambda *_: [StopAfterThree()]}
EVALUATED: Setting = {"eval_every": 2, "peval_mode": "iteration"}


def ours(kind: type) -> type:
    return type(f"Our{kind.__name__}", (LightningLoop, kind), {})


@pytest.mark.parametrize(
    ("kind", "setting"),
    [*((kind, setting) for kind in OWN for setting in ({}, STOPPED)), (Counting, EVALUATED), (Twice, EVALUATED)],
)
def test_same_bits_as_avalanche(kind: type, setting: Setting) -> None:
    assert not is_plain_epoch(kind.training_epoch)  # type: ignore[attr-defined]
    assert_same(learn(ours(kind), setting), learn(kind, setting))


class Autocast(Around):
    """What Lightning's precision comes to, by hand."""

    def training_epoch(self, **kwargs: Any) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
            super().training_epoch(**kwargs)


def test_mixed_precision() -> None:
    theirs = learn(Autocast)
    assert same(learn(ours(Around), trainer={"precision": "bf16-mixed"}).weights, theirs.weights)
    assert not same(learn(ours(Around)).weights, theirs.weights)


class Counts(Callback):
    """Counts what a Trainer tells its callbacks."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()
        self.steps: list[int] = []

    def on_train_epoch_start(self, *_: Any) -> None:
        self.told["epochs"] += 1

    def on_train_batch_start(self, *_: Any) -> None:
        self.told["begun"] += 1

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        self.told["ended"] += 1
        self.steps.append(trainer.global_step)


@pytest.mark.parametrize(
    ("kind", "trainer", "batches"),
    [
        (Counting, {}, 8),
        (Leaves, {}, 4),
        (Pairs, {}, 8),
        (NoData, {}, 0),
        (Counting, {"limit_train_batches": 3}, 6),
        (Counting, {"max_steps": 5}, 5),
    ],
)
def test_callbacks_see_each_batch_and_limits_hold(kind: type, trainer: Setting, batches: int) -> None:
    """One experience of 24 pictures in batches of 6, twice."""
    counts = Counts()
    learned = learn(ours(kind), stream=one_experience, trainer={"callbacks": [counts], **trainer})
    assert counts.told == Counter({"epochs": 2, "begun": batches, "ended": batches})
    assert counts.steps == list(range(1, batches + 1))
    assert learned.learner.clock.train_iterations == (batches // 2 if kind is Pairs else batches)


def one_experience() -> Any:
    stream = classes()
    return type("Stream", (), {"train_stream": stream.train_stream[:1], "test_stream": stream.test_stream})


class Kept(SupervisedPlugin):
    """Writes down the weights after every iteration."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[torch.Tensor] = []

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        self.weights.append(nn.utils.parameters_to_vector(strategy.model.parameters()).detach().clone())


def test_weight_averaging() -> None:
    """The mean of what every batch left, as Lightning's callback defines it."""
    kept = Kept()
    trainer = {"callbacks": [WeightAveraging]}
    learned = learn(ours(Counting), stream=one_experience, beside=lambda *_: [kept], trainer=trainer)
    found = nn.utils.parameters_to_vector(learned.learner.model.parameters())
    assert torch.allclose(found, torch.stack(kept.weights).mean(0), atol=1e-6)
    assert not torch.allclose(found, kept.weights[-1], atol=1e-4)


def test_early_stopping() -> None:
    stopping = EarlyStopping("train/loss", patience=1, min_delta=100.0, check_on_train_epoch_end=True)
    learned = learn(ours(Counting), train_epochs=9, trainer={"callbacks": [stopping]})
    assert learned.learner.clock.train_iterations == 3 * 2 * 4  # a best epoch, then one without improvement


@pytest.mark.parametrize("event", ["before_training_iteration", "after_training_epoch"])
def test_errors_reach_the_caller_and_nothing_is_left(event: str) -> None:
    """Also the one at which Lightning's loops would end."""
    with pytest.raises(StopIteration):
        learn(ours(Counting), beside=lambda *_: [Exhausted(event)])


class Closes(OneBatch):
    closed = 0

    def training_epoch(self, **kwargs: Any) -> None:
        try:
            for _, self.mbatch in enumerate(self.dataloader):  # noqa: B020
                self.learn_it(**kwargs)
        finally:
            Closes.closed += 1


class Fails(Callback):
    def on_train_batch_end(self, *_: Any) -> None:
        raise LookupError


def test_code_that_waits_for_a_batch_is_ended_by_an_error_elsewhere() -> None:
    with pytest.raises(LookupError):
        learn(ours(Closes), trainer={"callbacks": [Fails()]})
    assert Closes.closed == 1


@pytest.mark.parametrize(
    ("trainer", "sentence"),
    [
        ({"gradient_clip_val": 0.1}, "OurMER takes its steps itself, where the trainer's gradient_clip_val would do"),
        ({"accumulate_grad_batches": 2}, "OurMER works on the gradient of one batch, which gradient accumulation"),
        (half(), "OurMER takes its steps itself, without the scaler of 16-mixed; use bf16-mixed"),
    ],
    ids=["clip", "accumulate", "fp16"],
)
def test_what_lightning_would_not_do_is_refused(trainer: Setting, sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"^{sentence}"):
        learn(ours(MER), {"mem_size": 12, "batch_size_mem": 3, "n_inner_steps": 2}, trainer=trainer)


def test_several_processes_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^OurCounting computes its gradients itself, .* use one process$"):
        refuse_several(learn(ours(Counting)).learner)
    refuse_several(learn(ours(SupervisedTemplate)).learner)


def test_a_strategy_without_an_optimizer_that_needs_one_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^OurSupervisedTemplate has no optimizer; "):
        ours(SupervisedTemplate)(model=mlp(), optimizer=None)


class Saves(Counting):
    """Says that it keeps nothing, so that checkpoints may be written."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        assert not state


class Stops(SupervisedPlugin):
    """Ends the program in the middle of the second experience, if it is to."""

    def __init__(self, stops: bool) -> None:
        super().__init__()
        self.stops = stops

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        if self.stops and strategy.clock.train_exp_counter == 1 and strategy.clock.train_exp_iterations == 5:
            raise KeyboardInterrupt

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        assert not state


def saving(folder: Path, stops: bool) -> Any:
    torch.manual_seed(0)
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    arguments = {"criterion": nn.CrossEntropyLoss(), "train_mb_size": 6, "train_epochs": 2, "evaluator": None}
    return ours(Saves)(
        model=model, optimizer=optimizer, plugins=[Stops(stops)], checkpoints=folder, save_every=0.0, **arguments
    )


def run(learner: Any) -> dict[str, torch.Tensor]:
    learner.resume()
    for experience in classes().train_stream[learner.clock.train_exp_counter :]:
        learner.train(experience)
        learner.save()
    weights: dict[str, torch.Tensor] = learner.model.state_dict()
    return weights


def test_a_run_that_ends_in_the_middle_goes_back_to_the_experiences_begin(tmp_path: Path) -> None:
    """It says so, and comes to the same bits as one that was left alone."""
    with pytest.warns(RaincheckWarning, match=r"^OurSaves has a training_epoch of its own, and no checkpoint can hold"):
        undisturbed = run(saving(tmp_path / "one", stops=False))
    with pytest.raises(KeyboardInterrupt), pytest.warns(RaincheckWarning, match="first epoch; have it go over"):
        run(saving(tmp_path / "two", stops=True))
    assert [path.name for path in (tmp_path / "two").iterdir()] == ["last.ckpt"]
    learner = saving(tmp_path / "two", stops=False)
    with pytest.warns(RaincheckWarning, match=r"^OurSaves has"):
        assert same(run(learner), undisturbed)
    assert learner.clock.train_iterations == 3 * 2 * 4
