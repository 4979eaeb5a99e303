"""Other pictures out of the same footage: turned by quarters, with other exposure and contrast."""

import numpy as np
import torch
from torch import Tensor


def vary_picture(clip: Tensor, rng: np.random.Generator) -> Tensor:
    """A clip seen by another camera.

    Three in ten are turned by a quarter or a half, so that thin upright things are no surer sign of rain than lying
    ones. Half have another gamma (0.6 to 1.6) and another white (0.8 to 1.3, so that the sun's light is cut off).

    Args:
        clip: uint8 `(t, c, h, w)`, square.
        rng: decides all of it; always draws the same number of values.
    """
    turn, change, gamma, white = rng.random(), rng.random(), rng.uniform(-0.5, 0.5), rng.uniform(0.8, 1.3)
    if turn < 0.3:
        clip = torch.rot90(clip, 1 + int(turn * 10), (-2, -1))
    if change < 0.5:
        curve = 255 * np.minimum(white * np.linspace(0, 1, 256) ** np.exp(gamma), 1)
        clip = torch.from_numpy(np.rint(curve).astype(np.uint8))[clip.to(torch.int64)]
    return clip.contiguous()
