"""Rain review: old rain comes back into every batch."""

from typing import Any

import numpy as np
import torch

from raincheck.datasets.clips import TrainClips
from raincheck.errors import ConfigError
from raincheck.plugins.memory import ClipMemory, Parts, State
from raincheck.plugins.teacher import Teacher
from raincheck.rain.layer import lay, lift
from raincheck.seam.loaders import innermost

MODES = ("clips", "inputs", "streaks")


class RainReview(ClipMemory):
    """Keeps something of every finished task's clips and mixes some into each batch of the next.

    Reviewed rows are appended to the batch, so the new task loses none of its own; where data have labels, they
    carry their own task's.

    The paper's abstract names the module and says that it plays old-task data back; how is our reading.

    Args:
        budget: bytes of memory for all old tasks together.
        batch: reviewed clips a batch.
        seed: of the choice of clips. None leaves it to the run, whose own seed it becomes, and is 0 elsewhere.
        mode: what is kept. `clips`: rainy clip and clean centre. `inputs`: the rainy clip only; what the model of the
            end of the previous task makes of it is its target. `streaks`: the rain layer only (see
            `raincheck.rain.layer`), laid over clean clips of the current task, which are decoded, and rained on in
            vain, for it: about 10 ms a clip.

    Raises:
        ConfigError: if there is no such mode; before training, if a task's share of the budget would not hold one
            clip, or the mode is `streaks` and the data no `TrainClips`, of which alone whole clean clips are known.
    """

    def __init__(self, budget: int = 32 * 2**20, batch: int = 4, seed: int | None = None, mode: str = "clips") -> None:
        super().__init__(budget, batch, seed)
        if mode not in MODES:
            raise ConfigError(f"RainReview cannot have mode {mode!r}; choose {', '.join(MODES)}")
        self.mode = mode
        self._teacher = Teacher()

    @property
    def bytes(self) -> int:
        """Bytes of the stored clips and, with `inputs`, of the old model."""
        return self.clip_bytes + self._teacher.bytes

    def parts(self, strategy: Any, index: int) -> Parts:
        """What is kept of a clip, by mode."""
        if self.mode == "streaks":
            share, directions = lift(*_train_clips(strategy).pair(index))
            return {"share": share, "directions": directions}
        kept = super().parts(strategy, index)
        return {"rainy": kept["rainy"]} if self.mode == "inputs" else kept

    def pictures(self, strategy: Any, kept: Parts, rng: np.random.Generator) -> Parts:
        """Rain layers are laid over a random clean clip of the current task."""
        if self.mode != "streaks":
            return kept
        data = _train_clips(strategy)
        _, clean = data.pair(int(rng.integers(len(data))))
        return {"rainy": lay(kept["share"], kept["directions"], clean), "clean": clean[len(clean) // 2]}

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Checks the budget, and rebuilds the teacher after a resume."""
        super().before_training_exp(strategy, **kwargs)
        self._teacher.rebuild(strategy.model)

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Appends reviewed clips to the batch."""
        if not self.tasks:
            return
        drawn, labels = self.draw(strategy)
        target = self._teacher(drawn["rainy"]) if self.mode == "inputs" else drawn["clean"]
        rows = [drawn["rainy"], target, labels][: len(strategy.mbatch)]  # data may have no labels
        strategy.mbatch = [torch.cat(pair) for pair in zip(strategy.mbatch, rows, strict=True)]

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Keeps clips of the task just learned, fewer of the others, and with `inputs` the model that learned it."""
        super().after_training_exp(strategy, **kwargs)
        if self.budget and self.mode == "inputs":
            self._teacher.keep(strategy.model)

    def state_dict(self) -> State:
        """Memory and old model, as tensors and primitives."""
        return {**super().state_dict(), "teacher": self._teacher.state_dict()}

    def load_state_dict(self, state: State) -> None:
        """Restores what `state_dict` gave; the old model is back when the next experience begins."""
        super().load_state_dict(state)
        self._teacher.load_state_dict(state["teacher"])


def _train_clips(strategy: Any) -> TrainClips:
    """The current experience's clips, through Avalanche's wrapping.

    Raises:
        ConfigError: if they are something else.
    """
    source = innermost(strategy.experience.dataset)[0]
    if not isinstance(source, TrainClips):
        raise ConfigError(
            "RainReview with mode 'streaks' needs the whole clean clip, which only raincheck's own training clips of "
            "a single task have; choose mode clips or inputs"
        )
    return source
