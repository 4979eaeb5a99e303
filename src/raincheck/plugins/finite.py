"""Stops a run whose loss is no longer finite."""

from typing import Any

from avalanche.core import SupervisedPlugin

from raincheck.errors import DivergenceError


class FiniteLoss(SupervisedPlugin):
    """Raises before the step that would spoil the weights.

    Raises:
        DivergenceError: naming the experience, the step and the loss term.
    """

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        """Looks at the loss, and at its terms when it is not finite."""
        if strategy.loss.isfinite().all():
            return
        terms = getattr(strategy, "terms", {})
        name = next((name for name, term in terms.items() if not term.isfinite().all()), "total")
        experience = strategy.experience
        raise DivergenceError(
            f"the loss term {name!r} became {float(strategy.loss.detach().sum())} in experience "
            f"{experience.current_experience} ({getattr(experience, 'name', 'unnamed')}), "
            f"step {strategy.clock.train_exp_iterations}; lower the learning rate or the term's weight"
        )
