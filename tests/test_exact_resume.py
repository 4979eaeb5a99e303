"""Learning that is interrupted anywhere, and taken up again, ends with the same bits."""

import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
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

from interrupted import Interrupt, check, equal, learn, rrgnet
from parity import MLP, classes, mlp
from raincheck.errors import ConfigError, RaincheckWarning
from raincheck.generators import generators
from raincheck.generators import same as nothing_drawn
from raincheck.networks import RRGNet
from raincheck.seam.forgetful import forgetful
from raincheck.strategy import LightningLoop, LightningStrategy
from raincheck.streams import RainExperience
from test_strategy_logging import Kept
from tinytasks import LossLog, tiny_stream


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


# Two epochs of six batches in each of three experiences.
POINTS = [
    ("after_backward", 15),
    ("after_training_epoch", 3),
    ("after_training_exp", 2),
]
MORE = [
    ("before_training_iteration", 1),
    ("after_update", 6),
    ("before_eval_iteration", 30),
    ("before_training_iteration", 3),
    ("before_forward", 5),
    ("after_training_iteration", 22),
    ("before_training_epoch", 4),
    ("before_training_exp", 2),
    ("after_eval", 3),
]


@pytest.mark.parametrize(
    ("event", "call"), [*POINTS, *(pytest.param(*point, marks=pytest.mark.slow) for point in MORE)]
)
def test_an_interruption_changes_no_bit(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, plugins=rrgnet)


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
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


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_workers(tmp_path: Path, workers: int) -> None:
    check(tmp_path, "after_backward", 16, workers=workers)


def test_a_users_callbacks_keep_what_they_saw(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 16, trainer=lambda: {"callbacks": [Counted()]})


@pytest.mark.slow
def test_averaged_weights(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 17, trainer=lambda: {"callbacks": [EMAWeightAveraging(decay=0.8)]})


@pytest.mark.slow
def test_accumulation_by_a_schedule(tmp_path: Path) -> None:
    """Three steps in the first epoch, six in the second."""
    check(tmp_path, "after_update", 2, trainer=lambda: {"callbacks": [GradientAccumulationScheduler({0: 2, 1: 1})]})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:StochasticWeightAveraging keeps something from epoch to epoch")
def test_an_average_of_epochs(tmp_path: Path) -> None:
    average = {"swa_lrs": 1e-3, "swa_epoch_start": 1, "annealing_epochs": 2}
    check(tmp_path, "after_update", 9, trainer=lambda: {"callbacks": [StochasticWeightAveraging(**average)]})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the model is of another class")
def test_weights_that_are_pruned_within_an_experience(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 9, trainer=lambda: {"callbacks": [ModelPruning("l1_unstructured", amount=0.3)]})


def test_accumulated_gradients(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 4, trainer=lambda: {"accumulate_grad_batches": 2})


def test_what_is_logged_goes_on_at_its_step(tmp_path: Path) -> None:
    """Killed in the third step of two batches each."""
    logger = Kept()
    trainer = {"accumulate_grad_batches": 2, "log_every_n_steps": 1, "logger": logger}
    trainer["callbacks"] = [LearningRateMonitor("step")]
    with pytest.raises(SystemError):
        learn(tmp_path, "after_update", 3, epochs=1, trainer=lambda: trainer)
    logger.rows.clear()
    learn(tmp_path, epochs=1, trainer=lambda: trainer)
    assert [step for step, row in logger.rows if "lr-Adam" in row] == sorted(2 * list(range(4, 18, 2)))
    assert [step for step, row in logger.rows if "train/loss" in row] == list(range(6, 19, 2))


@pytest.mark.slow
def test_bfloat16(tmp_path: Path) -> None:
    check(tmp_path, "after_update", 16, trainer=lambda: {"precision": "bf16-mixed"})


@pytest.mark.slow
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


class Hooked(Slows):
    """One that keeps it by Lightning's hooks for checkpoints."""

    def on_save_checkpoint(self, trainer: Any, module: Any, checkpoint: dict[str, Any]) -> None:
        assert checkpoint["state_dict"].keys() == module.state_dict().keys()
        checkpoint["batches seen"] = {"until": torch.tensor(self.batches), "step": trainer.global_step}

    def on_load_checkpoint(self, trainer: Any, module: Any, checkpoint: dict[str, Any]) -> None:
        assert checkpoint["state_dict"].keys() == module.state_dict().keys()
        self.batches = int(checkpoint["batches seen"]["until"])


@pytest.mark.parametrize(("event", "call"), [("after_backward", 9), ("before_training_exp", 3), ("after_eval", 2)])
def test_callbacks_that_keep_what_they_saw_by_hook(tmp_path: Path, event: str, call: int) -> None:
    check(tmp_path, event, call, trainer=lambda: {"callbacks": [Hooked()]})


@pytest.mark.parametrize("late", [False, True], ids=["at once", "later"])
def test_what_no_checkpoint_can_hold_by_hook_is_refused(tmp_path: Path, late: bool) -> None:
    class Keeps(Hooked):
        def on_save_checkpoint(self, trainer: Any, module: Any, checkpoint: dict[str, Any]) -> None:
            if self.batches >= late:
                checkpoint["where"] = Point()

    kept = Keeps()
    name = "a callback" if late else "Keeps"
    with pytest.raises(ConfigError, match=rf"^{name} keeps a [\w.]+Point in its on_save_checkpoint, which no check"):
        learn_some(tmp_path, [kept])
    assert kept.batches == late


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
    with pytest.warns(
        RaincheckWarning,
        match="^nothing more is saved in .*, because the network grows with an experience that is of no stream",
    ):
        strategy.train(experience, eval_streams=[])
    assert strategy.checkpoints is None


def test_callbacks_that_cannot_be_saved_are_known() -> None:
    strategy = type("S", (), {"plugins": [], "state_dict": None})
    harmless = [Stateless(), Silent(), Counted(), Hooked(), EMAWeightAveraging(), Timer(), LearningRateMonitor()]
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
        trained = set(model.known_train_tasks_labels)  # fewer than those that it was evaluated on
        strategy.train(experience)
        strategy.eval(benchmark.test_stream)
        strategy.save()
    return {
        "trained": trained,
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
    for then in ((event, call), ("after_training_exp", 1)):
        with pytest.raises(SystemError):
            learn_classes(tmp_path, *then)
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
        ConfigError, match=r"^the checkpoint's network grew with experiences of the stream 'train', which"
    ):
        strategy.resume()


def learn_without_saving(
    folder: Path, *, draw: Callable[[], Any] = list, optimizer: Any = torch.optim.SGD, criterion: Any = F.cross_entropy,
    rows: int = 24, size: int = 6, **settings: Any,
) -> dict[str, Tensor]:  # fmt: skip
    for seed in (torch.manual_seed, random.seed, np.random.seed):
        seed(0)
    np.random.rand()  # fills the store of numbers, so that the next one changes no more than the place in it
    model = mlp()
    strategy = LightningStrategy(
        model=model, optimizer=optimizer(model.parameters(), **{"lr": 0.05, **settings}), criterion=criterion,
        train_mb_size=size, evaluator=None, checkpoints=folder, save_every=0,
    )  # fmt: skip
    draw()
    data = classes().train_stream[0].dataset.subset(range(rows))
    strategy.train(DatasetExperience(dataset=data, current_experience=0), eval_streams=[])
    return dict(model.state_dict())


ADAM = {"optimizer": torch.optim.Adam}


@pytest.mark.parametrize(
    ("then", "now", "differs"),
    [
        ({}, {"lr": 0.5}, r"lr of the optimizer \(0.05 then, 0.5 now\)"),
        (ADAM, {**ADAM, "betas": (0.5, 0.9)}, r"betas of the optimizer \(\(0.9, 0.999\) then, \(0.5, 0.9\) now\)"),
        ({}, ADAM, r"optimizer \(SGD then, Adam now\)"),
        ({}, {"size": 4}, r"batch size \(6 then, 4 now\)"),
        ({}, {"rows": 18}, r"number of samples \(24 then, 18 now\)"),
        ({}, {"criterion": nn.CrossEntropyLoss()}, r"criterion \(cross_entropy then, CrossEntropyLoss now\)"),
    ],
)
def test_a_folder_of_other_learning_is_refused(
    tmp_path: Path, then: dict[str, Any], now: dict[str, Any], differs: str
) -> None:
    first = learn_without_saving(tmp_path, **then)
    assert equal(learn_without_saving(tmp_path, **then), first)
    with pytest.raises(
        ConfigError, match=f"/experience-0.ckpt is of training with another {differs}; use another folder$"
    ):
        learn_without_saving(tmp_path, **now)


@pytest.mark.parametrize(
    "draw", [random.random, np.random.rand, lambda: np.random.seed(7), lambda: torch.rand(())], ids=range(4)
)
def test_learning_that_began_with_other_random_numbers_goes_on(tmp_path: Path, draw: Callable[[], Any]) -> None:
    learn_without_saving(tmp_path)
    with pytest.warns(RaincheckWarning, match="/experience-0.ckpt, though it began with other random numbers"):
        learn_without_saving(tmp_path, draw=draw)
