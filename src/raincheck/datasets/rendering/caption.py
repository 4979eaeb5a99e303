"""Letters laid over a film, as subtitles and dates are: thin, bright and still, and not to be taken for streaks."""

from dataclasses import dataclass
from string import ascii_letters, digits

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from raincheck.video.pixels import to_float, to_uint8

LETTERS = np.array(list(ascii_letters + digits + ".,:;-/!?|    "))
HEIGHT = (9, 40)  # of the letters, pixels
OUTLINE = 3  # pixels that an outline of the letters is wide, at most and not included


@dataclass(frozen=True)
class Caption:
    """Letters that stand still over a film.

    Attributes:
        colour: of each pixel, float32 `(3, h, w)` in [0, 1].
        opacity: likewise, `(1, h, w)`; 0 where there is no letter.
    """

    colour: Tensor
    opacity: Tensor

    def lay(self, clip: Tensor) -> Tensor:
        """The letters over a clip, uint8 `(t, 3, h, w)`."""
        scene = to_float(clip)
        return to_uint8(scene + self.opacity * (self.colour - scene))


def draw_caption(rng: np.random.Generator, size: tuple[int, int]) -> Caption:
    """Random letters for frames of `size`, height and width in pixels: one to three lines, half of them outlined."""
    high, wide = size
    letter = round(float(np.exp(rng.uniform(*np.log(HEIGHT)))))
    outline = int(rng.integers(1, OUTLINE)) if rng.random() < 0.5 else 0
    lines = ["".join(rng.choice(LETTERS, 2 + wide // 4)) for _ in range(rng.integers(1, 4))]
    place = (-float(rng.uniform(0, letter)), float(rng.uniform(-letter / 2, high - letter / 2)))
    font = ImageFont.load_default(letter)
    masks = [_mask(size, place, "\n".join(lines), font, width) for width in (outline, 0)]
    bright = bool(rng.random() < 0.8)
    colour = torch.tensor(rng.uniform(0.7, 1.0, 3) if bright else rng.uniform(0, 1, 3), dtype=torch.float32)
    edge = 0.1 if bright else 0.9
    return Caption(edge + masks[1] * (colour[:, None, None] - edge), masks[0] * float(rng.uniform(0.6, 1.0)))


def _mask(
    size: tuple[int, int], place: tuple[float, float], text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    outline: int,
) -> Tensor:  # fmt: skip
    """Where letters are, widened by `outline` pixels: float32 `(1, h, w)` in [0, 1]."""
    image = Image.new("L", size[::-1])
    ImageDraw.Draw(image).multiline_text(place, text, 255, font, stroke_width=outline)
    return to_float(torch.from_numpy(np.array(image))[None])
