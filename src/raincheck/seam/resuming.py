"""Saving and resuming a strategy: what of it outlives its process."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from raincheck import checkpoint
from raincheck.errors import ConfigError, RaincheckWarning
from raincheck.files import remove_partial
from raincheck.processes import first_does, is_first
from raincheck.seam.attributes import BUILT, PASSING, Attributes, kinds
from raincheck.seam.beginning import Beginning, beginning
from raincheck.seam.state import avalanche_state, forgetful, plain, restore_strategy, strategy_state


class Resumable:
    """Mixin that saves a strategy after an experience, and says where its state within one is kept.

    Attributes:
        checkpoints: folder for the states; None keeps nothing.
        adapted: the experiences that a network which grows has met, in order: stream, position, whether to train on.
        others: names of `BUILT` that a plugin has replaced by another object within an experience.
    """

    checkpoints: Path | None
    adapted: dict[tuple[str, int, bool], None]
    others: set[str]
    _beginning: Beginning  # of the present fit
    _made: Attributes  # plain attributes of its parts as they were when it was made; see attributes.py
    _kinds: dict[str, Any]  # of its parts when it began to learn
    _told: set[str]  # parts of which was said that they are of other kinds now
    _fits: tuple[int, int]  # the experience, and how many fits it has had: a strategy may learn from one in phases
    _begun: dict[str, Any]  # by name: those of `BUILT` with which the experience began
    callbacks: Any
    # Avalanche's
    clock: Any
    experience: Any
    model: Any
    is_training: bool
    check_model_and_optimizer: Callable[[], None]
    _meet: Callable[[], int]  # LightningLoop's: has the processes meet

    @property
    def unfinished(self) -> Path | None:
        """The file with the state within the present fit of the present experience."""
        experience, fit = self._fits
        name = f"experience-{experience}.ckpt" if fit == 1 else f"experience-{experience}-{fit}.ckpt"
        return self.checkpoints and self.checkpoints / name

    def found(self) -> Path | None:
        """The file from which the present experience goes on, None if it begins.

        Raises:
            ConfigError: if a plugin keeps what could not be saved, before anything is learned.
        """
        if not self.checkpoints:
            return None
        avalanche_state(self)
        counter = self.clock.train_exp_counter
        self._fits = counter, 1 + (self._fits[1] if self._fits[0] == counter else 0)
        self._begun = {part: getattr(self, name) for part, name in BUILT.items()}
        self._beginning = beginning(self)
        return first_does(lambda: path if (path := self.unfinished) and path.exists() else None)

    def check(self, callbacks: Sequence[Any]) -> None:
        """Looks at callbacks when they are set up: whether a checkpoint can bring back what they keep.

        Raises:
            ConfigError: if one keeps what could not be saved.
        """
        self.checkpoints = kept_in(self.checkpoints, self, callbacks)
        for callback in callbacks if self.checkpoints else ():
            plain(type(callback).__name__, callback.state_dict())

    def restorable(self, *parts: str) -> bool:
        """Whether a checkpoint of these parts could be restored; says once for each what stands in the way.

        Args:
            parts: of `BUILT`. Another model or optimizer goes on into later experiences, the others do not.
        """
        if not self.checkpoints:
            return False
        others = {part for part in parts if getattr(self, BUILT[part]) is not self._begun[part]}
        for part in sorted(others - self.others if is_first() else ()):
            warnings.warn(
                f"a plugin has put another {part} in place within an experience, which no checkpoint can hold, so that "
                "learning that is killed goes on from an earlier one; let it do so in before_training_exp",
                RaincheckWarning,
                stacklevel=2,
            )
        self.others |= others
        return not others and self.others <= PASSING

    def model_adaptation(self, model: Any = None) -> Any:
        """Avalanche's; notes what a network that grows has grown by."""
        if self.checkpoints and any(hasattr(module, "adaptation") for module in self.model.modules()):
            if (stream := _stream(self.experience)) is None:
                self._give_up()
            else:
                self.adapted[stream, self.experience.current_experience, self.is_training] = None
        return super().model_adaptation(model)  # type: ignore[misc]

    def _give_up(self) -> None:
        if is_first():
            warnings.warn(
                "a network that grows has met an experience of no stream, by which a new process could not let it grow "
                f"again, so nothing more is kept in {self.checkpoints}; give it experiences of a benchmark's streams",
                RaincheckWarning,
                stacklevel=4,
            )
        self.checkpoints = None

    def save(self, **more: Any) -> None:
        """Writes the state after an experience, if there is a folder for it; in several processes all have the same.

        Where a plugin has put in place within an experience another model or optimizer, or for good what a new process
        could not take up, the older state is left there.

        Args:
            more: tensors and primitives that `resume` is to give back.

        Raises:
            OutputError: if it cannot be written; the older state is intact then.
        """
        if self.checkpoints and self.others <= PASSING and self._as_made():
            first_does(lambda: self._write(more))

    def _as_made(self) -> bool:
        """Whether a new process could take up all parts; says once for each what stands in the way."""
        now = kinds(self)
        others = {part for part, made in self._kinds.items() if made is not None and made != now[part]}
        others -= {"model"} if self.adapted else set()  # which grows again
        for part in sorted(others - self._told if is_first() else ()):
            warnings.warn(
                f"the {part} is of another kind, or has other parameters, than when learning began, so that no "
                "new process could take it up and learning that is killed goes on from an earlier experience; give it "
                "to the strategy from the start, let a model grow by Avalanche's adaptation, or put the first back",
                RaincheckWarning,
                stacklevel=3,
            )
        self._told |= others
        return not others

    def _write(self, more: dict[str, Any]) -> None:
        assert self.checkpoints
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        state = {**strategy_state(self, self.callbacks.lasting), "adapted": list(self.adapted), "more": more}
        checkpoint.save(self.checkpoints / "last.ckpt", state)
        for path in self.checkpoints.glob("experience-*.ckpt"):
            path.unlink()

    def resume(self, *streams: Any) -> dict[str, Any] | None:
        """Goes on from the state after the last experience: `clock.train_exp_counter` says how many are learned.

        Args:
            streams: for a network that grows with its experiences (Avalanche's `DynamicModule`), those that it has met
                in training and evaluation: it grows by them again before its weights are restored.

        Returns:
            What `save` was given, None if nothing was saved.

        Raises:
            ConfigError: if the state cannot be read, or is of another network, optimizer or list of plugins.
        """
        self._meet()
        state = first_does(self._read)
        if state is None:
            return None
        self._grow({stream.name: stream for stream in streams}, state["adapted"])
        restore_strategy(self, self.callbacks.lasting, state)
        more: dict[str, Any] = state["more"]
        return more

    def _grow(self, streams: dict[str, Any], adapted: list[tuple[str, int, bool]]) -> None:
        for name, position, training in adapted:
            if name not in streams:
                raise ConfigError(
                    f"the checkpoint's network has grown with experiences of the stream {name!r}; give resume the "
                    "streams of training and evaluation"
                )
            self.experience = next(e for e in streams[name] if e.current_experience == position)
            self.is_training = training
            self.model.train(training)
            if training:
                self.check_model_and_optimizer()
            else:
                self.model = self.model_adaptation()
        self.experience = None

    def _read(self) -> dict[str, Any] | None:
        if self.checkpoints is None:
            return None
        remove_partial(self.checkpoints)
        return checkpoint.load(self.checkpoints / "last.ckpt")


def _stream(experience: Any) -> str | None:
    """The name of an experience's stream; None of one that was made by hand."""
    try:
        name: str = experience.origin_stream.name
    except (AssertionError, AttributeError):
        return None
    return name


def kept_in(checkpoints: str | Path | None, strategy: Any, callbacks: Sequence[Any]) -> Path | None:
    """The folder for checkpoints, None if something could not be brought back from them, which is said."""
    if checkpoints and (name := forgetful(strategy, callbacks)):
        if is_first():
            warnings.warn(
                f"{name} can't save what it remembers, so nothing is kept in {checkpoints} and learning that is "
                "killed begins anew; give it a state_dict and a load_state_dict",
                RaincheckWarning,
                stacklevel=4,
            )
        return None
    return Path(checkpoints) if checkpoints else None
