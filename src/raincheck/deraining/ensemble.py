"""Self-ensemble: the mean of what a network says of a video and of its mirror image.

Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution" (CVPRW 2017, arXiv 1707.02921), take the
eight flips and rotations of a picture. Rain falls, so only the mirror image is as likely as the video itself. To flip
frames upside down, and time with them, gained less at the same price (experiments/results/weights_check.md).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from raincheck.deraining.precision import Decode
from raincheck.networks.base import ClipNetwork


class SelfEnsemble(ClipNetwork):
    """A network and itself on mirrored frames, with a mean of both as output; takes twice as long.

    Args:
        network: in evaluation mode.
        decode: its `decode`, or what it was compiled to.
    """

    def __init__(self, network: ClipNetwork, decode: Decode) -> None:
        super().__init__()
        self.network, self.by = network, decode
        self.window, self.reach, self.multiple = network.window, network.reach, network.multiple
        self.arguments = network.arguments

    def both(self, frames: Tensor) -> Tensor:
        """Frames `(n, c, h, w)` and, behind them, their mirror images: `(2 n, c, h', w')`.

        They are padded before, so that the padding of both is in the same place, whatever a network does by itself.
        """
        high, wide = frames.shape[-2:]
        padded = F.pad(frames, (0, -wide % self.multiple, 0, -high % self.multiple), mode="replicate")
        return torch.cat([padded, padded.flip(-1)])

    def encode(self, frames: Tensor) -> Tensor:
        """Features of frames `(n, c, h, w)` and of their mirror images, side by side: `(n, 2 f, h', w')`."""
        return rearrange(self.network.encode(self.both(frames)), "(v n) f h w -> n (v f) h w", v=2)

    def decode(self, features: Sequence[Tensor], centre: Tensor) -> Tensor:
        """The mean derained centre `(b, c, h, w)` of t features `(b, 2 f, h', w')` and the rainy one."""
        views = [rearrange(each, "n (v f) h w -> (v n) f h w", v=2) for each in features]
        plain, mirrored = self.by(views, self.both(centre)).chunk(2)
        mean = (plain + mirrored.flip(-1)) / 2
        return mean[..., : centre.shape[-2], : centre.shape[-1]]
