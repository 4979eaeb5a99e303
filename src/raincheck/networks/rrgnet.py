r"""RRGNet, in our reading: frame groups by temporal distance, a U-shaped encoder-decoder, a rain layer subtracted.

The paper ("Towards General and Fast Video Derain via Knowledge Distillation", arXiv 2308.05346) is public in abstract
only, which fixes: frames are grouped, an encoder-decoder uses the video's time, and the network is fast. The rest is
our reading after the authors' sister methods: no alignment, groups `{t-d, t, t+d}` for each temporal distance d, a
rain residual subtracted from the centre frame. There is no BatchNorm: its running statistics forget.

    frame (c h w) --unshuffle--> stem --> features (f h/2 w/2)              once a frame, reused by a stream
    {t-1,t,t+1} -> branch 1 \
    {t-2,t,t+2} -> branch 2  + centre -> fuse -> down, down -> up, up -> rain layer --> centre - rain
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raincheck.errors import ConfigError
from raincheck.networks.base import ClipNetwork


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size divided by `stride`."""
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1)


def fast(x: Tensor) -> Tensor:
    """The memory layout in which convolutions are fastest, on CPUs and GPUs; convolutions pass it on."""
    # An exported graph leaves the layout to its runtime; asked for here, it would fix which sizes the graph takes.
    return x if torch.compiler.is_exporting() else x.contiguous(memory_format=torch.channels_last)


class Residual(nn.Module):
    """Two convolutions beside a skip; shape `(n, f, h, w)` is kept."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(width, width), nn.ReLU(inplace=True), conv(width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Adds what the body found to `x`."""
        found: Tensor = self.body(x)
        return found.add_(x)  # in place: the backward pass needs no output of a convolution


class UNet(nn.Module):
    """Encoder-decoder over three scales with additive skips; height and width must be multiples of 4.

    Args:
        width: channels at full scale; the lower scales have twice and three times as many.
        depth: residual blocks a scale and direction.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        widths = [width, 2 * width, 3 * width]
        self.before = nn.ModuleList(nn.Sequential(*(Residual(w) for _ in range(depth))) for w in widths)
        self.after = nn.ModuleList(nn.Sequential(*(Residual(w) for _ in range(depth))) for w in widths[:-1])
        self.down = nn.ModuleList(conv(a, b, stride=2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.Conv2d(b, 4 * a, 1) for a, b in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        """`(n, width, h, w)` to the same shape."""
        skips = []
        for before, down in zip(self.before[:-1], self.down, strict=True):
            skips.append(before(x))
            x = down(skips[-1])
        x = self.before[-1](x)
        for after, up, skip in reversed(list(zip(self.after, self.up, skips, strict=True))):
            x = after(F.pixel_shuffle(up(x), 2).add_(skip))
        return x


class RRGNet(ClipNetwork):
    """The network of this project.

    Args:
        window: frames of a clip: 3, 5 or 7; one branch for each temporal distance 1 to `window // 2`. 1 is the
            single-frame network of the ablation.
        width: channels of the stem and of the encoder-decoder's first scale.
        depth: residual blocks a scale and direction.
        grouped: one branch for each temporal distance; False concatenates all frames plainly (ablation).

    Raises:
        ConfigError: if `window` is even or negative, or a size is below 1.
    """

    multiple = 8  # pixel-unshuffle by 2, then two strides of 2

    def __init__(self, window: int = 5, width: int = 32, depth: int = 1, grouped: bool = True) -> None:
        super().__init__()
        if window < 1 or window % 2 == 0 or width < 1 or depth < 1:
            raise ConfigError(
                f"RRGNet cannot have window {window}, width {width}, depth {depth}; give an odd window and sizes of 1 "
                "or more"
            )
        self.window, self.grouped = window, grouped
        self.arguments = {"window": window, "width": width, "depth": depth, "grouped": grouped}
        # Of 3x3 convolutions: 5 + 4 depth at half resolution, 1 + 4 depth at a quarter, 2 depth at an eighth, and what
        # the strides and shuffles are off by.
        self.reach = 2 * (11 + 20 * depth)
        self.stem = nn.Sequential(conv(12, width), nn.ReLU(inplace=True), conv(width, width), nn.ReLU(inplace=True))
        groups = self.groups()
        self.branches = nn.ModuleList(conv(len(group) * width, width) for group in groups)
        self.fuse = nn.Conv2d(len(groups) * width, width, 1)
        self.unet = UNet(width, depth)
        self.head = conv(width, 12)
        nn.init.zeros_(self.head.weight)  # an untrained network subtracts nothing
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def groups(self) -> list[list[int]]:
        """Frame positions of each branch."""
        centre = self.window // 2
        if not self.grouped or self.window == 1:
            return [list(range(self.window))]
        return [[centre - d, centre, centre + d] for d in range(1, centre + 1)]

    def encode(self, frames: Tensor) -> Tensor:
        """`(n, 3, h, w)` to features `(n, f, h', w')` at half resolution, padded to a multiple of 4 by replication."""
        high, wide = frames.shape[-2:]
        # Replication, unlike reflection, is defined for every size, down to one pixel.
        padded = F.pad(frames, (0, -wide % self.multiple, 0, -high % self.multiple), mode="replicate")
        features: Tensor = self.stem(fast(F.pixel_unshuffle(padded, 2)))
        return features

    def decode(self, features: Sequence[Tensor], centre: Tensor) -> Tensor:
        """Features `(b, f, h', w')` of a window and its rainy centre `(b, 3, h, w)` to the derained `(b, 3, h, w)`."""
        groups = [
            F.relu(branch(torch.cat([features[index] for index in group], dim=1)), inplace=True)
            for branch, group in zip(self.branches, self.groups(), strict=True)
        ]
        fused = self.fuse(torch.cat(groups, dim=1)).add_(features[self.window // 2])
        rain = F.pixel_shuffle(self.head(self.unet(fused)), 2)
        return centre - rain[..., : centre.shape[-2], : centre.shape[-1]]
