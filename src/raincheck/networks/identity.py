"""The network that does nothing: its score is the rainy input's."""

from collections.abc import Sequence

from torch import Tensor

from raincheck.networks.base import ClipNetwork


class Identity(ClipNetwork):
    """Returns the centre frame.

    Args:
        window: frames of a clip, odd.
    """

    def __init__(self, window: int = 1) -> None:
        super().__init__()
        self.window, self.reach = window, 0
        self.arguments = {"window": window}

    def encode(self, frames: Tensor) -> Tensor:
        """An empty feature map `(n, 0, h, w)`."""
        return frames[:, :0]

    def decode(self, features: Sequence[Tensor], centre: Tensor) -> Tensor:
        """The rainy centre `(b, c, h, w)` itself."""
        return centre
