"""A memory of clips of finished tasks, with a budget in bytes: what review, DER, GEM and A-GEM share."""

from typing import Any

import numpy as np
import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.video.pixels import to_float, to_uint8

Parts = dict[str, Tensor]
State = dict[str, Any]


class ClipMemory(SupervisedPlugin):
    """Keeps clips of every finished task, and brings some back at every step of the next.

    The clips themselves are kept, as uint8, not references to them: the old videos may be gone. Every task so far has
    an equal share of the budget. Which clips are kept, and which come back when, are functions of (seed, experience,
    step) alone; half of those that come back are mirrored, as new clips are.

    A subclass does something with what comes back, and may say what else is kept of a clip. Rows of data are
    `(rainy, clean)` or `(rainy, clean, label)`.

    Args:
        budget: bytes of memory for all old tasks together.
        batch: clips that come back at a step.
        seed: of the choice of clips. None leaves it to the run, whose own seed it becomes, and is 0 elsewhere.

    Attributes:
        tasks: what is kept of each finished task: by name of the part, a tensor with one row a clip; and the label,
            which is the experience's position where data have none.

    Raises:
        ConfigError: before training, if a task's share of the budget would not hold one clip.
    """

    def __init__(self, budget: int, batch: int, seed: int | None) -> None:
        super().__init__()
        if budget < 0 or batch < 1:
            name = type(self).__name__
            raise ConfigError(
                f"{name} cannot have budget {budget} and batch {batch}; give a budget of 0 or more and a batch of 1 or "
                "more"
            )
        self.budget, self.batch, self.seed = budget, batch, seed
        self.tasks: list[tuple[Parts, int]] = []

    def parts(self, strategy: Any, index: int) -> Parts:
        """What is kept of clip `index` of the current experience: uint8 tensors, of one shape each for all clips.

        By default `rainy` `(t, c, h, w)` and its clean centre `clean` `(c, h, w)`.
        """
        rainy, clean, *_ = strategy.experience.dataset[index]
        return {"rainy": to_uint8(rainy), "clean": to_uint8(clean)}

    def pictures(self, strategy: Any, kept: Parts, rng: np.random.Generator) -> Parts:
        """What one clip's parts show, uint8 `(..., c, h, w)`; by default the parts are pictures themselves."""
        return kept

    @property
    def clip_bytes(self) -> int:
        """Bytes that the stored clips take, whatever is stored of them."""
        return sum(part.nbytes for parts, _ in self.tasks for part in parts.values())

    @property
    def bytes(self) -> int:
        """Bytes of all that the plugin keeps between tasks."""
        return self.clip_bytes

    def __len__(self) -> int:
        return sum(_clips(parts) for parts, _ in self.tasks)

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Checks that the budget will do for the whole stream, before hours are spent."""
        if not self.budget:
            return
        clip = _size(self.parts(strategy, 0))
        tasks = len(strategy.experience.origin_stream)
        if self.budget // tasks < clip:
            raise ConfigError(
                f"a review budget of {self.budget} bytes gives each of {tasks} tasks {self.budget // tasks} bytes, "
                f"and one clip takes {clip}; raise the budget to {clip * tasks} or more, or set it to 0"
            )

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Keeps clips of the task just learned, and fewer of the others."""
        if not self.budget:
            return
        data = strategy.experience.dataset
        first = self.parts(strategy, 0)
        quota = self.budget // (len(self.tasks) + 1) // _size(first)
        self.tasks = [({name: part[:quota].clone() for name, part in parts.items()}, old) for parts, old in self.tasks]
        rng = np.random.default_rng((self.seed or 0, strategy.clock.train_exp_counter))
        chosen = rng.choice(len(data), size=min(quota, len(data)), replace=False)
        kept = {name: torch.empty(len(chosen), *part.shape, dtype=part.dtype) for name, part in first.items()}
        for row, index in enumerate(chosen):
            for name, part in self.parts(strategy, int(index)).items():
                kept[name][row] = part
        _, _, *label = data[0]
        self.tasks.append((kept, int(label[-1]) if label else strategy.experience.current_experience))

    def draw(self, strategy: Any, tasks: slice = slice(None), salt: tuple[int, ...] = ()) -> tuple[Parts, Tensor]:
        """Clips that come back at this step: pictures in [0, 1], and labels; see `as_input`.

        Args:
            strategy: whose clock tells the step.
            tasks: which of the finished tasks to draw from.
            salt: numbers that tell several draws at one step apart.
        """
        clock = strategy.clock
        rng = np.random.default_rng((self.seed or 0, clock.train_exp_counter, clock.train_exp_iterations, *salt))
        places = [(parts, row, label) for parts, label in self.tasks[tasks] for row in range(_clips(parts))]
        chosen = rng.choice(len(places), size=min(self.batch, len(places)), replace=False)
        mirrored = rng.random(len(chosen)) < 0.5
        shown, labels = [], []
        for index, mirror in zip(chosen, mirrored, strict=True):
            parts, row, label = places[index]
            pictures = self.pictures(strategy, {name: part[row] for name, part in parts.items()}, rng)
            shown.append({name: picture.flip(-1) if mirror else picture for name, picture in pictures.items()})
            labels.append(label)
        drawn = {name: as_input(torch.stack([clip[name] for clip in shown]), strategy) for name in shown[0]}
        return drawn, torch.tensor(labels, device=strategy.device)

    def state_dict(self) -> State:
        """The memory, as tensors and primitives."""
        return {"tasks": [{"parts": parts, "label": label} for parts, label in self.tasks]}

    def load_state_dict(self, state: State) -> None:
        """Restores what `state_dict` gave."""
        self.tasks = [(task["parts"], task["label"]) for task in state["tasks"]]


def as_input(pictures: Tensor, strategy: Any) -> Tensor:
    """Pictures, uint8, as the strategy's model takes them: in [0, 1], of its weights' type and on its device."""
    return to_float(pictures).to(strategy.device, next(strategy.model.parameters()).dtype)


def _clips(parts: Parts) -> int:
    return len(next(iter(parts.values())))


def _size(parts: Parts) -> int:
    return sum(part.nbytes for part in parts.values())
