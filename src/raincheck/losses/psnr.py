"""The negative peak signal-to-noise ratio of each frame."""

import torch
from torch import Tensor, nn


class PSNRLoss(nn.Module):
    """Mean over frames of `10 log10(MSE + floor)` in dB, as NAFNet is trained with (Chen et al. 2022), with a floor.

    Where the network is unsure, a squared error leads to the mean of what may be right, and L1 to the median: a streak
    that may be none becomes fainter, where it would stay whole. The logarithm keeps frames of dense rain from
    outweighing all others.

    kornia's loss of this name takes the mean over the whole batch before the logarithm.

    Args:
        floor: added to each frame's mean squared error; without it frames that are nearly right, such as those without
            rain, would have the largest gradients of all.
    """

    def __init__(self, floor: float = 1e-5) -> None:
        super().__init__()
        self.floor = floor

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """A scalar in dB, below 0 for any use, from frames `(b, c, h, w)` in [0, 1]."""
        error = (output - target).square().flatten(1).mean(1)
        return 10 * torch.log10(error + self.floor).mean()
