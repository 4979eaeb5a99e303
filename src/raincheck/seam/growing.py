"""Networks that grow with their experiences (Avalanche's `DynamicModule`s), and grow again in a new process."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from raincheck.errors import ConfigError, RaincheckWarning
from raincheck.processes import is_first


class Growing:
    """Mixin that notes by which experiences a strategy's network has grown.

    Attributes:
        adapted: the experiences that it has met, in order: stream, position, whether to train on; empty of a network
            that does not grow.
    """

    adapted: dict[tuple[str, int, bool], None]
    checkpoints: Path | None
    # Avalanche's
    experience: Any
    model: Any
    is_training: bool
    check_model_and_optimizer: Callable[[], None]

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
                f"nothing more is saved in {self.checkpoints}, because the network grows with an experience that is of "
                "no stream, where a restarted program could not find it; take experiences from a benchmark's streams",
                RaincheckWarning,
                stacklevel=4,
            )
        self.checkpoints = None

    def _grow(self, streams: dict[str, Any], adapted: list[tuple[str, int, bool]]) -> None:
        for name, position, training in adapted:
            if name not in streams:
                raise ConfigError(
                    f"the checkpoint's network grew with experiences of the stream {name!r}, which resume was not "
                    "given; give it the streams of training and evaluation"
                )
            self.experience = next(e for e in streams[name] if e.current_experience == position)
            self.is_training = training
            self.model.train(training)
            self.check_model_and_optimizer()


def _stream(experience: Any) -> str | None:
    """The name of an experience's stream; None of one that was made by hand."""
    try:
        name: str = experience.origin_stream.name
    except (AssertionError, AttributeError):
        return None
    return name
