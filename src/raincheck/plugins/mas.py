"""Memory aware synapses: importance is how much a weight moves the network's output."""

from typing import Any

from raincheck.plugins.importance import ClipPenalty, normalised
from raincheck.plugins.penalty import Weights


class MAS(ClipPenalty):
    """Memory aware synapses (Aljundi et al. 2018, equation 2 with the squared norm of the output).

    The importance is the mean over clips, one at a time as in the paper, of `|d |output|^2 / d weight|`; no clean frame
    is looked at. It is scaled to mean 1, see `normalised`.

    Args:
        weight: of the penalty, named `mas`.
        clips: how many of the task's clips, drawn at random, the importances are estimated from.
        decay: what is left of the old importances at each new task; 1 adds all up.
        seed: of the choice of clips. None leaves it to the run, whose own seed it becomes, and is 0 elsewhere.

    Raises:
        ConfigError: if the weight is negative, the decay out of its range, or there are no clips.
    """

    NAME = "mas"

    def __init__(self, weight: float = 0.02, clips: int = 256, decay: float = 1.0, seed: int | None = None) -> None:
        super().__init__(weight, clips, decay, seed)

    def measure(self, strategy: Any) -> Weights:
        """Importances of the task just learned."""
        return normalised(self.mean_absolute_gradients(strategy, lambda output, _: output.square().sum()))
