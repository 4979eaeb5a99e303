"""What every network offers, so that a stream computes each frame's features once."""

from collections.abc import Sequence
from typing import Any

from einops import rearrange
from torch import Tensor, nn

from raincheck.errors import ConfigError


class ClipNetwork(nn.Module):
    """Maps a rainy clip `(b, t, c, h, w)` to its derained centre frame `(b, c, h, w)`, float32 in [0, 1].

    A subclass implements `encode`, which sees single frames, and `decode`, which sees the features of a window. A
    stream encodes each frame once and decodes each window; `forward` does both, so the two can't disagree. Several
    threads may be in them at once, so they leave nothing in the network.

    Attributes:
        window: frames of a clip, odd.
        arguments: what the constructor was called with; saved beside the weights.
        multiple: pixels to a multiple of which frames are padded at the right and the bottom.
        reach: no output pixel depends on input pixels further away than this, in rows or columns, so that frames can
            be cut into tiles; None where a network looks at whole frames.
    """

    window: int
    arguments: dict[str, Any]
    multiple: int = 1
    reach: int | None = None

    def encode(self, frames: Tensor) -> Tensor:
        """Features of single frames: `(n, c, h, w)` to `(n, f, h', w')`."""
        raise NotImplementedError

    def decode(self, features: Sequence[Tensor], centre: Tensor) -> Tensor:
        """Derained centre frame `(b, c, h, w)` from t features `(b, f, h', w')` and the rainy centre `(b, c, h, w)`.

        Features come one by one, because a stream has them so, and to stack them is to copy them.
        """
        raise NotImplementedError

    def forward(self, clip: Tensor) -> Tensor:
        """Derained centre frame `(b, c, h, w)` of a rainy clip `(b, t, c, h, w)`.

        The output is not clamped while training, because a clamp has no gradient outside its range.

        Raises:
            ConfigError: if the clip has not the window's number of frames.
        """
        if clip.shape[1] != self.window:  # else frames would be passed over, and another taken for the centre
            raise ConfigError(
                f"{type(self).__name__} sees windows of {self.window} frames, but was given clips of {clip.shape[1]}; "
                "set the data's window to the network's"
            )
        features = self.encode(rearrange(clip, "b t c h w -> (b t) c h w"))
        each = rearrange(features, "(b t) f h w -> t b f h w", b=clip.shape[0]).unbind()
        derained = self.decode(each, clip[:, clip.shape[1] // 2])
        return derained if self.training else derained.clamp(0, 1)
