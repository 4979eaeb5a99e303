"""Keeps the weights that every task ended with: what a run was on its way is gone otherwise."""

from typing import Any

from avalanche.core import SupervisedPlugin

from raincheck.networks import save_weights
from raincheck.processes import is_first


class TaskWeights(SupervisedPlugin):
    """Writes `after-1.safetensors`, `after-2.safetensors` and so on beside a run's checkpoints, one a task learned.

    For looking at what a task did to a network, and for means over tasks (experiments/weights_average.py). It decides
    nothing. A strategy without `checkpoints`, such as Avalanche's own, keeps none.
    """

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Writes the weights of the task that was learned."""
        folder = getattr(strategy, "checkpoints", None)
        if folder is None or not is_first():
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        experience = strategy.experience
        about = {"task": str(getattr(experience, "name", "")), "step": str(strategy.clock.train_iterations)}
        save_weights(strategy.model, folder.parent / f"after-{experience.current_experience + 1}.safetensors", about)

    def state_dict(self) -> dict[str, Any]:
        """Nothing is remembered."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing is remembered."""
