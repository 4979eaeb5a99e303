"""A user's Lightning callbacks, which outlive the Trainers of single experiences."""

import copy
from typing import Any

from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, WeightAveraging

AFRESH = (EarlyStopping, ModelCheckpoint, WeightAveraging)  # what they found in one experience is wrong in the next


class Callbacks:
    """The callbacks for every Trainer of a strategy.

    Args:
        given: the Trainer's argument `callbacks`: instances, and factories that are called anew for every Trainer.
    """

    def __init__(self, given: Any) -> None:
        self.given: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given] if given else []
        instances = [callback for callback in self.given if isinstance(callback, Callback)]
        self._pristine = {id(c): copy.deepcopy(vars(c)) for c in instances if isinstance(c, AFRESH)}
        self.lasting = [callback for callback in instances if id(callback) not in self._pristine]

    def to_fit(self) -> list[Callback]:
        """Those for an experience; some instances as they were given, whatever they found since."""
        callbacks = self._made()
        for callback in callbacks:
            if id(callback) in self._pristine:
                vars(callback).update(copy.deepcopy(self._pristine[id(callback)]))
        return callbacks

    def to_evaluate(self) -> list[Callback]:
        """Those for an evaluation, of the weights as they are: averages take their place when the experience ends."""
        return [callback for callback in self._made() if not isinstance(callback, WeightAveraging)]

    def _made(self) -> list[Callback]:
        return [given if isinstance(given, Callback) else given() for given in self.given]
