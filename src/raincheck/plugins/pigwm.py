"""Parameter importance guided weights modification, in our reading."""

from typing import Any

import torch
from torch import Tensor, nn

from raincheck.plugins.importance import ClipPenalty
from raincheck.plugins.penalty import Weights


class PIGWM(ClipPenalty):
    """PIGWM (Zhou et al. 2021, "Image De-raining via Continual Learning"): our reading of a published description.

    With `S = sum_k importance_k |w_k - anchor_k|` the penalty is `weight / 2 * (S + S^2)`, where the importance is the
    mean over clips of the absolute gradient of the run's loss. Taken a clip at a time, and added up over tasks: both
    are ours. S bounds to first order what a change of weights does to the loss of a clip, so its scale, unlike that of
    the quadratic penalties, has a meaning, and importances are left as they are.

    Args:
        weight: of the penalty, named `pigwm`.
        clips: how many of the task's clips, drawn at random, the importances are estimated from.
        decay: what is left of the old importances at each new task; 1 adds all up.
        seed: of the choice of clips. None leaves it to the run, whose own seed it becomes, and is 0 elsewhere.

    Raises:
        ConfigError: if the weight is negative, the decay out of its range, or there are no clips.
    """

    NAME = "pigwm"

    def __init__(self, weight: float = 1.0, clips: int = 256, decay: float = 1.0, seed: int | None = None) -> None:
        super().__init__(weight, clips, decay, seed)

    def measure(self, strategy: Any) -> Weights:
        """Importances of the task just learned."""
        return self.mean_absolute_gradients(strategy, strategy._criterion)

    def distance(self, model: nn.Module) -> Tensor:
        """`(S + S^2) / 2`."""
        s = sum(
            ((self.importance[name] * (p - self.anchor[name]).abs()).sum() for name, p in self.anchored(model).items()),
            start=torch.zeros(()),
        )
        return (s + s.square()) / 2
