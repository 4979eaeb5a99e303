"""A user's Lightning callbacks, which outlive the Trainers of single experiences."""

import copy
from collections.abc import Mapping
from typing import Any

from jsonargparse import ArgumentError, ArgumentParser, Namespace
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    StochasticWeightAveraging,
    WeightAveraging,
)
from lightning.pytorch.loggers import Logger
from lightning.pytorch.profilers import Profiler

from raincheck.errors import ConfigError, one_line
from raincheck.seam.by_hook import given_by_hook, take_by_hook

# What these found in one experience is wrong in the next.
AFRESH = (EarlyStopping, ModelCheckpoint, StochasticWeightAveraging, WeightAveraging)
# Arguments of a Trainer that a configuration may describe by `class_path` and `init_args`.
DESCRIBED = {"callbacks": Callback, "logger": Logger, "profiler": Profiler}


class Callbacks:
    """The callbacks for every Trainer of a strategy.

    Args:
        given: the Trainer's argument `callbacks`: instances, and factories that are called anew for every Trainer.

    Raises:
        ConfigError: for anything else, and for two callbacks whose states would have one name.
    """

    def __init__(self, given: Any) -> None:
        self.given: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given] if given else []
        for one in self.given:
            if not isinstance(one, Callback) and not callable(one):
                raise ConfigError(
                    f"the trainer's callbacks hold {one!r}, which is not a callback; give instances of "
                    "lightning.pytorch.Callback, or functions that make them"
                )
        instances = _distinct([callback for callback in self.given if isinstance(callback, Callback)])
        self._pristine = {id(c): copy.deepcopy(vars(c)) for c in instances if isinstance(c, AFRESH)}
        self.lasting = [callback for callback in instances if id(callback) not in self._pristine]
        self._taken: dict[str, Any] = {}  # by a checkpoint, for the next Trainer

    def to_fit(self) -> list[Callback]:
        """Those for an experience; some instances as they were given, whatever they found since."""
        callbacks = self._made()
        for callback in callbacks:
            if id(callback) in self._pristine:
                vars(callback).update(copy.deepcopy(self._pristine[id(callback)]))
        return callbacks

    def to_evaluate(self) -> list[Callback]:
        """Those for an evaluation, of the weights as they are: averages take their place when the experience ends."""
        return [callback for callback in self._made() if not isinstance(callback, WeightAveraging)]

    def by_hook(self, trainer: Trainer | None) -> dict[str, Any]:
        """What those that last give a checkpoint after an experience by their hooks."""
        return given_by_hook(self.lasting, trainer)

    def take(self, given: dict[str, Any]) -> None:
        """Takes that up, for `hand_over`: their hooks want to know their Trainer."""
        self._taken = given

    def hand_over(self, trainer: Trainer, loop: LightningModule) -> None:
        """Hands it to their hooks, before the first loop that a Trainer runs."""
        if self._taken:
            given, self._taken = self._taken, {}
            take_by_hook(self.lasting, trainer, loop, given)

    def _made(self) -> list[Callback]:
        return _distinct([given if isinstance(given, Callback) else given() for given in self.given])


def _distinct(callbacks: list[Callback]) -> list[Callback]:
    """The callbacks, if the states of those that have one have names of their own, as Lightning demands."""
    keys = [callback.state_key for callback in callbacks if type(callback).state_dict is not Callback.state_dict]
    if twins := [key for key in keys if keys.count(key) > 1]:
        raise ConfigError(
            f"the trainer's callbacks hold {len(twins)} whose states have one name, {twins[0]}; leave only one of "
            "them, or give each a state_key of its own"
        )
    return callbacks


def described(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A Trainer's arguments with objects in place of what a configuration says of them.

    Args:
        arguments: from a configuration whose classes were checked (trust.py).

    Raises:
        ConfigError: if a description is not of a callback, logger or profiler, or not of its arguments.
    """
    made = dict(arguments)
    for name in DESCRIBED.keys() & made.keys():
        given = made[name]
        made[name] = [_object(name, one) for one in given] if isinstance(given, list) else _object(name, given)
    return made


def _object(name: str, given: Any) -> Any:
    if not isinstance(given, (str, dict, Namespace)) or (name == "profiler" and isinstance(given, str)):
        return given  # is one already, or stands for one of Lightning's own
    given = given.as_dict() if isinstance(given, Namespace) else given
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument(f"--{name}", type=DESCRIBED[name])
    try:
        return parser.instantiate(parser.parse_object({name: copy.deepcopy(given)}))[name]
    except (ArgumentError, ValueError, TypeError) as error:
        wanted = DESCRIBED[name].__name__
        raise ConfigError(
            f"trainer.{name} cannot be {given} ({one_line(error)}); give class_path and init_args of a {wanted}"
        ) from None
