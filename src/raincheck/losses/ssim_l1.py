"""L1 and structural similarity together."""

import torch
import torch.nn.functional as F
from kornia.metrics import ssim
from torch import Tensor, nn

from raincheck.errors import ConfigError


class StructureLoss(nn.Module):
    """`l1 * L1 + structure * (1 - SSIM)`.

    The weights 0.75 and 1.1 are our reading, after the sister methods of the RRGNet paper's authors; the paper itself
    is public in abstract only, so its own loss is not known.

    SSIM is the mean over pixels and RGB channels of Wang et al. 2004 with an 11-pixel Gaussian window (sigma 1.5) and
    reflected borders, so that a crop's border pixels, which are many, are learned from as well.

    Args:
        l1: weight of the mean absolute difference.
        structure: weight of the structural dissimilarity.
    """

    WINDOW = 11  # pixels
    SMALLEST = 6  # pixels: one more than a border reflects

    def __init__(self, l1: float = 0.75, structure: float = 1.1) -> None:
        super().__init__()
        self.l1, self.structure = l1, structure

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """A scalar, 0 for equal frames, from frames `(b, c, h, w)`, float, target in [0, 1].

        Raises:
            ConfigError: if they are smaller than 6x6 pixels.
        """
        height, width = output.shape[-2:]
        if min(height, width) < self.SMALLEST:
            raise ConfigError(
                f"frames of {width}x{height} are too small for StructureLoss, which needs {self.SMALLEST}x"
                f"{self.SMALLEST} pixels; raise stream.crop, and test_size to 11 or more, or choose another loss"
            )
        # The variances inside SSIM are small differences of large numbers: 16 bits would lose them.
        with torch.autocast(output.device.type, enabled=False):
            precision = torch.promote_types(output.dtype, torch.float32)  # float64 stays as it is
            output, target = output.to(precision), target.to(precision)
            similarity = ssim(output, target, self.WINDOW).mean()
            return self.l1 * F.l1_loss(output, target) + self.structure * (1 - similarity)
