"""How fast a run learns and evaluates, and how much memory it takes."""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from avalanche.core import SupervisedPlugin

from raincheck.plugins.rows import own_rows


class Throughput(SupervisedPlugin):
    """Logs steps and new clips a second while learning, frames a second while evaluating, and peak memory.

    Args:
        log: takes numbers by name, and Avalanche's step.
        every: steps over which a speed is a mean; an experience's last part may be shorter.
    """

    def __init__(self, log: Callable[[Mapping[str, float], int], object], every: int = 25) -> None:
        super().__init__()
        self.log, self.every = log, every
        self._restart()

    def before_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        """Starts the clock."""
        self._restart()

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Counts new clips, before old ones join the batch, and without those that were loaded with them."""
        self._clips += own_rows(strategy)

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Counts a step."""
        self._steps += 1
        if self._steps == self.every:
            # Avalanche's clock counts the step after all plugins.
            self._log_training(strategy, strategy.clock.train_iterations + 1)

    def after_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        """Logs the last part."""
        if self._steps:
            self._log_training(strategy, strategy.clock.train_iterations)

    def before_eval(self, strategy: Any, **kwargs: Any) -> None:
        """Starts the clock."""
        self._restart()

    def after_eval_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Counts frames."""
        self._clips += len(strategy.mb_y)

    def after_eval(self, strategy: Any, **kwargs: Any) -> None:
        """Logs how fast it was, scoring included."""
        speed = self._clips / (time.perf_counter() - self._began)
        self.log({"system/eval_frames_per_second": speed}, strategy.clock.train_iterations)
        self._restart()

    def state_dict(self) -> dict[str, Any]:
        """Nothing: a part that was interrupted has no speed."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Starts the clock: where an epoch goes on, `before_training_epoch` is not called."""
        self._restart()

    def _log_training(self, strategy: Any, step: int) -> None:
        seconds = time.perf_counter() - self._began
        numbers = {
            "system/steps_per_second": self._steps / seconds,
            "system/clips_per_second": self._clips / seconds,
            "system/peak_memory_bytes": peak_memory(strategy.device),
        }
        self.log(numbers, step)
        self._restart()

    def _restart(self) -> None:
        self._began, self._steps, self._clips = time.perf_counter(), 0, 0


def peak_memory(device: torch.device) -> int:
    """The most bytes that tensors took on a GPU so far, or on the CPU the whole process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    status = Path("/proc/self/status")
    if status.exists():  # getrusage's peak outlives exec on Linux, so it may be that of whoever started this process
        return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
