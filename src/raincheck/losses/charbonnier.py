"""The Charbonnier loss, a smooth L1."""

import torch
from torch import Tensor, nn


class Charbonnier(nn.Module):
    """Mean of `sqrt(d^2 + epsilon^2)`, the form restoration networks are trained with (Lai et al. 2017, LapSRN).

    kornia's loss of this name is another one, `sqrt(1 + d^2) - 1`, which is nearly quadratic on pixels in [0, 1].

    Args:
        epsilon: below differences of about this size, in pixel values, the loss turns from linear to quadratic.
    """

    def __init__(self, epsilon: float = 1e-3) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """A scalar, at least `epsilon`, from two tensors of one shape."""
        return torch.sqrt((output - target).square() + self.epsilon**2).mean()
