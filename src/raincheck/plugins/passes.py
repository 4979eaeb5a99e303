"""What a method costs in forward passes: counted by a hook, so that no method has to say it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from avalanche.core import SupervisedPlugin
from torch import nn

from raincheck.plugins.rows import own_rows
from raincheck.processes import division


class Passes(SupervisedPlugin):
    """Counts the clips that go through the network, or a copy of it, while it learns.

    Teachers are copies of the model, and are counted with it: the hook that counts is copied along, and all copies
    count in one place. It must come before all plugins that copy the model when an experience begins.

    What only looks at how far learning has come is no cost of a method, and is not counted: evaluation between and
    within experiences, and what `BestWeights` scores.

    Attributes:
        clips: those that went through a network in training and what follows it, such as measuring importances: new
            clips, clips from a memory, and repeated passes of either.
        new: those of the current task, once a batch; clips from a memory do not count, whoever adds them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clips = self.new = 0
        self._counting = self._learning = False
        self._hooked: nn.Module | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Passes":
        return self

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """The hook: counts the rows of a batch that goes through a network."""
        if self._counting:
            self.clips += division.altogether(len(inputs[0]))

    @property
    def extra(self) -> float | None:
        """Passes for each new clip beyond its own: 0 for plain fine-tuning; None before anything was learned."""
        return round(self.clips / self.new - 1, 3) if self.new else None

    def before_training(self, strategy: Any, **kwargs: Any) -> None:
        """Starts to count."""
        if self._hooked is not strategy.model:
            strategy.model.register_forward_pre_hook(self)
            self._hooked = strategy.model
        self._counting = True

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Counts the new clips."""
        self.new += own_rows(strategy)

    def before_eval(self, strategy: Any, **kwargs: Any) -> None:
        """Stops: what is scored is not learned."""
        self._learning, self._counting = self._counting, False

    def after_eval(self, strategy: Any, **kwargs: Any) -> None:
        """Goes on, where that was within an experience."""
        self._counting = self._learning

    def after_training(self, strategy: Any, **kwargs: Any) -> None:
        """Stops."""
        self._counting = False

    def state_dict(self) -> dict[str, int]:
        """The counts."""
        return {"clips": self.clips, "new": self.new}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Restores what `state_dict` gave."""
        self.clips, self.new = state["clips"], state["new"]


@contextmanager
def uncounted(strategy: Any) -> Iterator[None]:
    """Lets a plugin send clips through the network that are scored and not learned from."""
    counters = [plugin for plugin in strategy.plugins if isinstance(plugin, Passes)]
    for counter in counters:
        counter.before_eval(strategy)
    try:
        yield
    finally:
        for counter in counters:
            counter.after_eval(strategy)
