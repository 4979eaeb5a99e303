"""The ways to learn a stream's tasks: in turn, as a continual learner must, and the bounds of methods."""

from dataclasses import dataclass
from typing import Literal

Learn = Literal["in_turn", "joint", "cumulative", "individual"]


@dataclass(frozen=True)
class Way:
    """What there is to learn in an experience, and from which weights; without any of these, one task after another.

    Attributes:
        at_once: one experience has the clips of all tasks.
        with_earlier: each experience has clips of all tasks so far.
        anew: each task is learned from the first weights, so that what comes of it is an expert for that task alone.
    """

    at_once: bool = False
    with_earlier: bool = False
    anew: bool = False

    @property
    def keeps_all(self) -> bool:
        """Whether all data must be at hand: such a memory has no size."""
        return self.at_once or self.with_earlier

    @property
    def is_bound(self) -> bool:
        """Whether methods are measured by it, instead of competing with it."""
        return self.keeps_all or self.anew


WAYS: dict[Learn, Way] = {
    "in_turn": Way(),
    "joint": Way(at_once=True),
    "cumulative": Way(with_earlier=True),
    "individual": Way(anew=True),
}
