"""Saving and resuming a strategy: what of it outlives its process."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from raincheck import checkpoint
from raincheck.files import remove_partial
from raincheck.processes import first_does
from raincheck.seam.attributes import Attributes
from raincheck.seam.beginning import Beginning, beginning
from raincheck.seam.by_hook import given_by_hook
from raincheck.seam.forgetful import kept_in, tell
from raincheck.seam.growing import Growing
from raincheck.seam.own_generators import Alone
from raincheck.seam.parts import Parts
from raincheck.seam.state import avalanche_state, learners, plain, restore_strategy, strategy_state


class Resumable(Growing):
    """Mixin that saves a strategy after an experience, and says where its state within one is kept.

    Attributes:
        checkpoints: folder for the states; None keeps nothing.
    """

    checkpoints: Path | None
    callbacks: Any
    last_fit: Any  # Lightning's Trainer
    clock: Any  # Avalanche's
    dataloader: Any
    _alone: Alone  # generators of the present loader's data
    _beginning: Beginning  # of the present fit
    _fits: tuple[int, int]  # the experience, and how many fits it has had: a strategy may learn from one in phases
    _made: Attributes  # plain attributes of its parts as they were when it was made
    _parts: Parts
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
            ConfigError: if a plugin or the network keeps what could not be saved, before anything is learned.
        """
        if not self.checkpoints:
            return None
        avalanche_state(self)
        for part in learners(self).values():
            plain(type(part).__name__, part.state_dict())
        counter = self.clock.train_exp_counter
        self._fits = counter, 1 + (self._fits[1] if self._fits[0] == counter else 0)
        self._parts.begin(self)
        self._beginning = beginning(self)
        return first_does(lambda: path if (path := self.unfinished) and path.exists() else None)

    def check(self, callbacks: Sequence[Any]) -> None:
        """Looks at callbacks and data before an experience: whether a checkpoint can bring back what they keep.

        Raises:
            ConfigError: if one keeps what could not be saved.
        """
        self.checkpoints = kept_in(self.checkpoints, self, callbacks)
        for callback in callbacks if self.checkpoints else ():
            plain(type(callback).__name__, callback.state_dict())
            plain(type(callback).__name__, given_by_hook([callback], self.last_fit), "on_save_checkpoint")
        self._alone = Alone(self.dataloader)

    def keep_nothing_drawn_alone(self) -> None:
        """Keeps nothing from now on where data have drawn from a generator of their own, and says so."""
        if self.checkpoints and (name := first_does(self._alone.drew)):
            why = f"{name} draws from a random number generator of its own, which can't be brought back"
            tell(why, self.checkpoints, "let it draw from the global generator of torch, NumPy or Python")
            self.checkpoints = None

    def restorable(self, *parts: str) -> bool:
        """Whether a checkpoint of these parts could be restored; says once for each what stands in the way.

        Args:
            parts: of `parts.BUILT`. Another model or optimizer goes on into later experiences, the others do not.
        """
        return self.checkpoints is not None and self._parts.restorable(self, parts)

    def save(self, **more: Any) -> None:
        """Writes the state after an experience, if there is a folder for it; in several processes all have the same.

        Where a plugin has put in place within an experience another model or optimizer, or for good what a new process
        could not take up, the older state is left there.

        Args:
            more: tensors and primitives that `resume` is to give back.

        Raises:
            OutputError: if it cannot be written; the older state is intact then.
        """
        if self.checkpoints and self._parts.lasting(self):
            given = self.callbacks.by_hook(self.last_fit)  # by all, as Lightning calls hooks
            first_does(lambda: self._write(more, given))

    def _write(self, more: dict[str, Any], given: dict[str, Any]) -> None:
        assert self.checkpoints
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        state = {
            **strategy_state(self, self.callbacks.lasting),
            "by hook": plain("a callback", given),
            "adapted": list(self.adapted),
            "more": more,
        }
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
        self.callbacks.take(state["by hook"])
        more: dict[str, Any] = state["more"]
        return more

    def _read(self) -> dict[str, Any] | None:
        if self.checkpoints is None:
            return None
        remove_partial(self.checkpoints)
        return checkpoint.load(self.checkpoints / "last.ckpt")
