"""Which of Avalanche's plugins cannot learn from clips is said in a sentence; errors of others stay what they are."""

from typing import Any

import pytest
from avalanche.training.plugins import GDumbPlugin, ReplayPlugin

from raincheck.errors import ConfigError, DivergenceError
from raincheck.running.misfit import misfits


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
