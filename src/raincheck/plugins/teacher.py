"""The model of the end of the previous task, frozen."""

import copy

import torch
from torch import Tensor, nn

from raincheck.processes.division import divided


class Teacher:
    """Keeps a frozen copy of a model, in evaluation mode, and answers with it.

    It is no module, and the copy is no submodule of anything, or it would join the optimizer and the checkpoints twice.

    Attributes:
        model: the copy; None until the first is kept.
    """

    def __init__(self) -> None:
        self.model: nn.Module | None = None
        self._saved: dict[str, Tensor] | None = None

    @property
    def bytes(self) -> int:
        """Bytes of the copy's parameters and buffers."""
        return sum(value.nbytes for value in (self.state_dict() or {}).values())

    def keep(self, model: nn.Module) -> None:
        """The model as it is now becomes the teacher."""
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    def rebuild(self, model: nn.Module) -> None:
        """Comes back after a resume, when a model of the teacher's kind is at hand; else does nothing."""
        if self._saved is not None:
            self.keep(model)
            assert self.model is not None
            self.model.load_state_dict(self._saved)
            self._saved = None

    @torch.no_grad()
    def __call__(self, rainy: Tensor) -> Tensor:
        """Derained centre frames `(b, c, h, w)` of rainy clips `(b, t, c, h, w)`, clamped as in evaluation.

        Raises:
            RuntimeError: if there is no teacher yet.
        """
        if self.model is None:
            raise RuntimeError("there is no teacher before the first task has ended")
        return divided(self.model, rainy)

    def state_dict(self) -> dict[str, Tensor] | None:
        """The copy's tensors, None if there is none."""
        return self._saved if self.model is None else self.model.state_dict()

    def load_state_dict(self, state: dict[str, Tensor] | None) -> None:
        """Restores what `state_dict` gave; a teacher that is not there yet is back at the next `rebuild`."""
        if self.model is None or state is None:
            self._saved = state
        else:
            self.model.load_state_dict(state)
