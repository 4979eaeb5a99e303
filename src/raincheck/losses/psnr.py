"""The negative peak signal-to-noise ratio of each frame."""

import torch
from torch import Tensor, nn


class PSNRLoss(nn.Module):
    """Mean over frames of `10 log10(MSE + floor)` in dB, as NAFNet is trained with (Chen et al. 2022), with a floor.

    What is wrong by chance is wrong by the mean and not, as with L1, by the median: a streak that the network is not
    sure of becomes fainter, where it would stay whole. By the logarithm a frame of dense rain does not outweigh others.

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
