"""A plugin that kills its own process at a chosen place, as a power cut would, and one that waits to be killed."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from avalanche.core import SupervisedPlugin

from raincheck.plugins import memory
from raincheck.plugins.ewc import EWC

KILL = "RAINCHECK_TEST_KILL"  # PLACE:COUNT:SIGNAL, ...
GATE = "RAINCHECK_TEST_GATE"  # a folder


@contextmanager
def threads(number: int) -> Iterator[None]:
    """As many threads as a run in another process has: their number decides the order in which floats are added."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Killer(SupervisedPlugin):
    """Sends its process signals when it comes to a place for the n-th time.

    The places come from the environment, because the configuration must stay the same: an event of Avalanche; `fisher`,
    a forward pass for importances; `fill`, a clip on its way into the review memory; `write`, a checkpoint of which
    half is written.
    """

    def __init__(self) -> None:
        super().__init__()
        for order in filter(None, os.environ.get(KILL, "").split(",")):
            place, count, name = order.split(":")
            self._arm(place, Visits(int(count), signal.Signals[name]))

    def _arm(self, place: str, visits: "Visits") -> None:
        if place == "fisher":
            importances = EWC.compute_importances

            def counting(plugin: Any, model: Any, criterion: Any, *arguments: Any, **kwargs: Any) -> Any:
                return importances(plugin, model, visits.before(criterion), *arguments, **kwargs)

            EWC.compute_importances = counting  # type: ignore[method-assign]
        elif place == "fill":
            memory.to_uint8 = visits.before(memory.to_uint8)  # type: ignore[attr-defined]
        elif place == "write":
            torch.save = visits.half(torch.save)
        else:
            setattr(self, place, visits.count)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to remember."""


class Visits:
    """Sends the process a signal at the n-th visit."""

    def __init__(self, left: int, number: signal.Signals) -> None:
        self.left, self.number = left, number

    def count(self, *arguments: Any, **kwargs: Any) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **kwargs: Any) -> Any:
            self.count()
            return function(*arguments, **kwargs)

        return counted

    def half(self, save: Callable[..., Any]) -> Callable[..., Any]:
        def saved(state: Any, path: Path) -> None:
            save(state, path)
            if self.left == 1:
                os.truncate(path, path.stat().st_size // 2)
            self.count()

        return saved


class Breaks(SupervisedPlugin):
    """Raises what nobody expects in one process of several, in its second step."""

    def __init__(self, rank: int) -> None:
        super().__init__()
        self.rank = str(rank)

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        if strategy.clock.train_iterations == 1 and os.environ["LOCAL_RANK"] == self.rank:
            raise ZeroDivisionError("in one process alone")

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to remember."""


class Gate(SupervisedPlugin):
    """Holds runs where they can be killed, and writes down what they learn.

    In the folder that the environment variable GATE names, `learned` gets a line for each experience that was begun or
    ended, and a run waits at the beginning of its second experience while there is a file `closed`.
    """

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        self._write("begins", strategy)
        folder = Path(os.environ[GATE])
        if strategy.clock.train_exp_counter == 1:
            (folder / f"{os.getpid()}.waiting").touch()
            while (folder / "closed").exists():
                time.sleep(0.05)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        self._write("ends", strategy)

    def _write(self, what: str, strategy: Any) -> None:
        with (Path(os.environ[GATE]) / "learned").open("a") as file:
            file.write(f"{what} {strategy.optimizer.param_groups[0]['lr']} {strategy.experience.current_experience}\n")

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to remember."""
