"""Rain review: old clips come back into every batch."""

from typing import Any

import numpy as np
import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.video.pixels import to_float, to_uint8

State = dict[str, Any]


class RainReview(SupervisedPlugin):
    """Keeps clips of every finished task and mixes some into each batch of the next.

    The clips themselves are kept, as uint8, not references to them: the old videos may be gone. Every task so far has
    an equal share of the budget. Reviewed rows are appended to the batch, so the new task loses none of its own; they
    carry their own task's label. Which clips are kept, and which come back when, are functions of (seed, experience,
    step) alone.

    The paper's abstract names the module and says that it plays old-task data back; how is our reading.

    Args:
        budget: bytes of memory for all old tasks together.
        batch: reviewed clips a batch.
        seed: of the choice of clips. None leaves it to the run, whose own seed it becomes, and is 0 elsewhere.

    Raises:
        ConfigError: before training, if a task's share of the budget would not hold one clip.
    """

    def __init__(self, budget: int = 32 * 2**20, batch: int = 4, seed: int | None = None) -> None:
        super().__init__()
        if budget < 0 or batch < 1:
            raise ConfigError(f"RainReview cannot have budget {budget} and batch {batch}; give 0 or more and 1 or more")
        self.budget, self.batch, self.seed = budget, batch, seed
        self.tasks: list[tuple[Tensor, Tensor, int]] = []  # rainy clips, clean centres, label

    @property
    def bytes(self) -> int:
        """Bytes that the stored clips take."""
        return sum(rainy.nbytes + clean.nbytes for rainy, clean, _ in self.tasks)

    def __len__(self) -> int:
        return sum(len(rainy) for rainy, _, _ in self.tasks)

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Checks that the budget will do for the whole stream, before hours are spent."""
        if not self.budget:
            return
        rainy, clean, *_ = strategy.experience.dataset[0]
        clip = rainy.numel() + clean.numel()
        tasks = len(strategy.experience.origin_stream)
        if self.budget // tasks < clip:
            raise ConfigError(
                f"a review budget of {self.budget} bytes gives each of {tasks} tasks {self.budget // tasks} bytes, "
                f"and one clip takes {clip}; raise the budget to {clip * tasks} or more, or set it to 0"
            )

    def before_forward(self, strategy: Any, **kwargs: Any) -> None:
        """Appends reviewed clips to the batch."""
        if not self.tasks:
            return
        clock = strategy.clock
        rng = np.random.default_rng((self.seed or 0, clock.train_exp_counter, clock.train_exp_iterations))
        rainy, clean, labels = self._draw(rng)
        rows = [rainy.to(strategy.device), clean.to(strategy.device), labels.to(strategy.device)]
        strategy.mbatch = [torch.cat(pair) for pair in zip(strategy.mbatch, rows, strict=True)]

    def _draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        chosen = rng.choice(len(self), size=min(self.batch, len(self)), replace=False)
        mirrored = rng.random(len(chosen)) < 0.5
        clips, centres, labels = [], [], []
        for index, mirror in zip(chosen, mirrored, strict=True):
            rainy, clean, label = self._clip(int(index))
            clips.append(rainy.flip(-1) if mirror else rainy)
            centres.append(clean.flip(-1) if mirror else clean)
            labels.append(label)
        return to_float(torch.stack(clips)), to_float(torch.stack(centres)), torch.tensor(labels)

    def _clip(self, index: int) -> tuple[Tensor, Tensor, int]:
        for rainy, clean, label in self.tasks:
            if index < len(rainy):
                return rainy[index], clean[index], label
            index -= len(rainy)
        raise IndexError(index)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Keeps clips of the task just learned, and fewer of the others."""
        if not self.budget:
            return
        data = strategy.experience.dataset
        rainy, clean, label = data[0]
        quota = self.budget // (len(self.tasks) + 1) // (rainy.numel() + clean.numel())
        self.tasks = [(r[:quota].clone(), c[:quota].clone(), old) for r, c, old in self.tasks]
        rng = np.random.default_rng((self.seed or 0, strategy.clock.train_exp_counter))
        chosen = rng.choice(len(data), size=min(quota, len(data)), replace=False)
        clips = torch.empty(len(chosen), *rainy.shape, dtype=torch.uint8)
        centres = torch.empty(len(chosen), *clean.shape, dtype=torch.uint8)
        for row, index in enumerate(chosen):
            rainy, clean, label = data[int(index)]
            clips[row], centres[row] = to_uint8(rainy), to_uint8(clean)
        self.tasks.append((clips, centres, int(label)))

    def state_dict(self) -> State:
        """The memory, as tensors and primitives."""
        return {"tasks": [{"rainy": r, "clean": c, "label": label} for r, c, label in self.tasks]}

    def load_state_dict(self, state: State) -> None:
        """Restores what `state_dict` gave."""
        self.tasks = [(task["rainy"], task["clean"], task["label"]) for task in state["tasks"]]
