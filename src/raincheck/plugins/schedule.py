"""A learning rate that rises and falls within every experience."""

import math
from typing import Any

from avalanche.core import SupervisedPlugin

from raincheck.errors import ConfigError
from raincheck.plugins.length import decided_elsewhere, planned_batches


class CosineSchedule(SupervisedPlugin):
    """Linear warm-up, then a half cosine (Loshchilov and Hutter 2017) to a fraction, over each experience.

    An experience ends where the Trainer's arguments end it (`max_steps`, `limit_train_batches`).

    Avalanche's LRSchedulerPlugin holds a scheduler that must know the optimizer and the number of steps before either
    exists; this one reads both from the strategy.

    Args:
        warmup: share of the experience's steps with a rising rate, in [0, 1).
        final: what is left of the learning rate at the end, in [0, 1].

    Raises:
        ConfigError: if a share is out of its range; at the first batch, if the loader does not know its length and
            nothing else limits the experience; if `max_time` does, or `max_steps` with a GradientAccumulationScheduler.
    """

    def __init__(self, warmup: float = 0.05, final: float = 0.02) -> None:
        super().__init__()
        if not (0 <= warmup < 1 and 0 <= final <= 1):
            raise ConfigError(
                f"CosineSchedule cannot have warmup {warmup} and final {final}; give a warmup in [0, 1) and a final in "
                "[0, 1]"
            )
        self.warmup, self.final = warmup, final

    def factor(self, progress: float) -> float:
        """Share of the learning rate at `progress` in [0, 1] of the experience."""
        if progress < self.warmup:
            return progress / self.warmup
        fall = (progress - self.warmup) / (1 - self.warmup)
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * fall))

    def before_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Sets the rate of every parameter group."""
        steps = planned_batches(strategy)
        if steps is None:
            raise ConfigError(
                "CosineSchedule cannot know how many batches an experience has, as its loader does not; give the "
                "trainer max_steps, or leave CosineSchedule out"
            )
        if name := decided_elsewhere(strategy):
            raise ConfigError(
                f"CosineSchedule cannot know how many batches an experience has where {name} decides it; give the "
                "trainer max_steps and accumulate_grad_batches in its place, or leave CosineSchedule out"
            )
        factor = self.factor((strategy.clock.train_exp_iterations + 0.5) / steps)
        for group in strategy.optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
