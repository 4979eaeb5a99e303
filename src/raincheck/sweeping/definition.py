"""What a sweep is: its parameters, what makes a trial better than another, and when trials are compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from raincheck.sweeping.space import Parameter

SCORES = ("average", "bwt", "forgetting", "fwt")  # of a matrix, that runs log after each task


@dataclass(frozen=True)
class Metric:
    """What makes a trial better than another.

    Attributes:
        name: one that runs log after each task: `average/psnr_y` (or bwt, forgetting, fwt) or `psnr_y/TASK`.
        maximize: whether more is better.
        target: a value that ends the sweep once a finished trial reaches it.
    """

    name: str = "average/psnr_y"
    maximize: bool = True
    target: float | None = None

    def better(self, value: float, than: float) -> bool:
        """Whether a value is better than another."""
        return value > than if self.maximize else value < than

    def best(self, values: Iterable[float]) -> float:
        """The best of one or more values."""
        return max(values) if self.maximize else min(values)

    def reached(self, value: float) -> bool:
        """Whether a value is as good as the target, if there is one."""
        return self.target is not None and not self.better(self.target, value)


@dataclass(frozen=True)
class Stopping:
    """When trials are compared, to stop those that are not among the best.

    Attributes:
        first: after how many tasks.
        factor: one of so many goes on; the next comparison is after so many times more tasks.
        last: after how many tasks the last comparison can be; None if they go on to the end.
        strict: whether trials are compared by their newest scores, and not by the best that each had so far.
    """

    first: int
    factor: int
    last: int | None = None
    strict: bool = True

    def next(self, learned: int) -> int | None:
        """After how many tasks a trial that has learned some is to be compared next; None if it is not any more."""
        border = self.first
        while border <= learned:
            border *= self.factor
        return None if self.last is not None and border > self.last else border


@dataclass(frozen=True)
class Sweep:
    """A sweep, as its file defines it.

    Attributes:
        method: `grid`, `random` or `bayes`.
        metric: what is best.
        parameters: sorted by name, as W&B sorts them.
        trials: how many, unless the target is reached before.
        stopping: None if every trial runs to its end.
        command: with W&B's macros, such as `${args}`.
        program: what `${program}` stands for.
        decisive: the part of the file that must not change when a sweep goes on.
    """

    method: str
    metric: Metric
    parameters: tuple[Parameter, ...]
    trials: int
    stopping: Stopping | None
    command: tuple[str, ...]
    program: str
    decisive: Mapping[str, Any]
