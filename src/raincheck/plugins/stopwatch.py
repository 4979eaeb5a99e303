"""How long training took, over all interruptions."""

import time
from typing import Any

from avalanche.core import SupervisedPlugin


class Stopwatch(SupervisedPlugin):
    """Adds up the seconds in `strategy.train`, those from before an interruption included.

    What was lost with the process, because it came after the last checkpoint, is not counted: it is done again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._earlier, self._began = 0.0, 0.0
        self._running = False

    @property
    def seconds(self) -> float:
        """In training so far."""
        return self._earlier + (time.perf_counter() - self._began if self._running else 0.0)

    def before_training(self, strategy: Any, **kwargs: Any) -> None:
        """Starts it."""
        self._began, self._running = time.perf_counter(), True

    def after_training(self, strategy: Any, **kwargs: Any) -> None:
        """Stops it."""
        self._earlier, self._running = self.seconds, False

    def state_dict(self) -> dict[str, Any]:
        """The seconds so far."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from there; in the middle of training, from now."""
        self._earlier, self._began = state["seconds"], time.perf_counter()
