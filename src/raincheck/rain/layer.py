"""A rain layer lifted off one scene, to be laid over another: 9 bits a value.

A layer says of each value which share of the way to white the rain goes or, where the rain is darker than the scene, to
black: `rainy = clean + share * (255 - clean)`, or `rainy = clean - share * clean`. That is how an opaque white streak
and a bright veil combine with what is behind them, so that a share, unlike the difference `rainy - clean`, has little
of the scene in it, and never leads out of [0, 255]. Rain that is not white leaves a trace of the scene all the same.

Shares are stored in 8 bits and directions in 1, packed. That is enough: laid over the scene that it was lifted off, a
layer gives back the rainy clip bit for bit, because an error of half a step in the share is less than half a grey
level in the value.
"""

import numpy as np
import torch
from torch import Tensor


def lift(rainy: Tensor, clean: Tensor) -> tuple[Tensor, Tensor]:
    """The rain of a clip.

    Args:
        rainy: uint8, any shape.
        clean: uint8, of the same shape.

    Returns:
        Shares, uint8 of the same shape, in units of 1/255; and directions, 8 to a byte, uint8 `(ceil(n / 8),)`, 1 where
        the rain is darker than the scene.
    """
    r, c = rainy.to(torch.int32), clean.to(torch.int32)
    darker = r < c
    room = torch.where(darker, c, 255 - c).clamp(min=1)  # no room, no difference: 0 / 1
    share = (2 * 255 * (r - c).abs() + room) // (2 * room)  # rounded to nearest
    return share.to(torch.uint8), torch.from_numpy(np.packbits(darker.numpy().reshape(-1)))


def lay(share: Tensor, directions: Tensor, clean: Tensor) -> Tensor:
    """Rain over a scene: what `lift` returned, and a clean clip of the same shape, to a rainy clip, uint8."""
    bits = np.unpackbits(directions.numpy(), count=share.numel())
    darker = torch.from_numpy(bits).bool().reshape(share.shape)
    c = clean.to(torch.int32)
    way = (2 * share.to(torch.int32) * torch.where(darker, c, 255 - c) + 255) // 510  # rounded to nearest
    return torch.where(darker, c - way, c + way).to(torch.uint8)
