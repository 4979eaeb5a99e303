"""Which stock plugin or callback does not fit is said in a sentence; errors of others stay what they are."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest
import torch
from avalanche.training.plugins import GDumbPlugin, ReplayPlugin
from lightning.pytorch import callbacks

from parity import classes, mlp
from raincheck.errors import ConfigError, DivergenceError
from raincheck.running.misfit import misfits
from raincheck.strategy import LightningStrategy


def test_a_stock_plugin_that_fails_is_named() -> None:
    stock: Any = GDumbPlugin(mem_size=10)
    sentence = r"the plugin GDumbPlugin of Avalanche cannot learn from clips \(\w+Error: .*, in gdumb\.py, line \d+\);"
    with pytest.raises(ConfigError, match=sentence) as caught, misfits([ReplayPlugin(mem_size=1), stock]):
        stock.before_train_dataset_adaptation(None)
    assert caught.value.__cause__ is not None


def test_an_error_without_a_message_is_named_by_its_type() -> None:
    class Silent(GDumbPlugin):
        def before_training(self, *_: Any, **__: Any) -> None:
            raise AssertionError

    silent: Any = Silent(mem_size=10)
    Silent.__module__ = GDumbPlugin.__module__
    with pytest.raises(ConfigError, match=r"\(AssertionError, in test_misfit\.py, line"), misfits([silent]):
        silent.before_training()


@pytest.mark.parametrize("error", [ValueError("mine"), DivergenceError("nan")])
def test_other_errors_pass_unchanged(error: Exception) -> None:
    class Own(GDumbPlugin):
        def before_training(self, *_: Any, **__: Any) -> None:
            raise error

    own: Any = Own(mem_size=10)
    with pytest.raises(type(error)) as caught, misfits([own]):
        own.before_training()
    assert caught.value is error


class Failing:
    """A strategy whose `model` is asked for in vain."""

    def __init__(self, fail: Callable[[], Any]) -> None:
        self.fail = fail

    @property
    def model(self) -> Any:
        return self.fail()


def test_more_memory_than_there_is_is_no_misfit() -> None:
    stock: Any = GDumbPlugin(mem_size=10)
    with pytest.raises(RuntimeError, match="allocate memory"), misfits([stock]):
        stock.before_train_dataset_adaptation(Failing(lambda: torch.empty(2**48)))


@pytest.mark.parametrize("error", [OSError("disk full"), MemoryError(), torch.OutOfMemoryError("no room")])
def test_full_disks_and_memories_are_no_misfits(error: Exception) -> None:
    def fail() -> None:
        raise error

    stock: Any = GDumbPlugin(mem_size=10)
    with pytest.raises(type(error)), misfits([stock]):
        stock.before_train_dataset_adaptation(Failing(fail))


@pytest.mark.parametrize(("module", "named"), [("raincheck.somewhere", False), ("torch.somewhere", True)])
def test_a_defect_of_ours_within_a_stock_plugin_keeps_its_traceback(module: str, named: bool) -> None:
    fail = FunctionType(compile("raise ValueError('deep')", "deep.py", "exec"), {"__name__": module})
    stock: Any = GDumbPlugin(mem_size=10)
    with pytest.raises(ConfigError if named else ValueError), misfits([stock]):
        stock.before_train_dataset_adaptation(Failing(fail))


@pytest.mark.parametrize(
    ("callback", "part"),
    [
        (
            callbacks.BatchSizeFinder(),
            "MisconfigurationException: The Batch size finder cannot be used with dataloaders",
        ),
        (callbacks.LearningRateFinder(), "AttributeError: "),
        (
            callbacks.EarlyStopping("val_loss"),
            "RuntimeError: Early stopping conditioned on metric `val_loss` which is no",
        ),
        (callbacks.ModelPruning("l1_unstructured", amount=0.5, make_pruning_permanent=False), "RuntimeError: "),
    ],
)
def test_a_stock_callback_that_fails_is_named(callback: callbacks.Callback, part: str) -> None:
    model, stream = mlp(), classes()
    strategy = LightningStrategy(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), 0.1),
        criterion=torch.nn.CrossEntropyLoss(),
        evaluator=None,
        trainer={"callbacks": [callback]},
    )
    with pytest.raises(ConfigError) as error, misfits([]):
        for experience in stream.train_stream:
            strategy.train(experience)
            strategy.eval(stream.test_stream)
    assert str(error.value).startswith(
        f"the callback {type(callback).__name__} of Lightning cannot be used like this ({part}"
    )
    assert str(error.value).endswith("); correct its arguments, or leave it out") and "\n" not in str(error.value)
