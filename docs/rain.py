"""Draws docs/rain.jpg: every preset of the rain renderer, over pictures that anyone may publish.

    python docs/rain.py [FILE.jpg]

The pictures: china.jpg, which comes with scikit-learn (CC BY 2.0, danielbuechele, flickr 6061409035); rocket.jpg, which
comes with scikit-image (SpaceX, public domain); and a street that is computed here, whose distances are known.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from PIL import Image, ImageDraw
from torch import Tensor

from raincheck.datasets.photographs import bundled_photographs
from raincheck.rain.parameters import Rain
from raincheck.rain.presets import PRESETS
from raincheck.rain.render import render
from raincheck.video.pixels import to_uint8

SIZE = (300, 440)
COLUMNS = 3
FOCAL_LENGTH = 700.0  # pixels, for a view of some 35 degrees


def street() -> tuple[Tensor, Tensor]:
    """A street between two walls with windows: uint8 `(1, c, h, w)`, and its distances in m, inf for the sky."""
    v, u = (np.indices(SIZE) - np.array(SIZE)[:, None, None] / 2 + 0.5) / FOCAL_LENGTH
    ground = np.where(v > 0, 1.6 / np.maximum(v, 1e-6), np.inf)
    wall = 4 / np.maximum(np.abs(u), 1e-6)
    distance = np.minimum(np.minimum(ground, wall), 120)
    up, side = 1.6 - v * distance, u * distance
    sky = (distance >= 120) | (up > 11)
    windows = (np.mod(distance, 3) < 1.3) & (np.mod(up, 3) > 1.2) & (wall < ground)
    stones = 0.03 * (np.mod(np.floor(distance / 0.6) + np.floor(side / 0.6), 2) - 0.5)
    shade = np.where(wall < ground, np.where(windows, 0.16, 0.42), 0.3 + stones) + 0.06 * (u > 0)
    grey = np.where(sky, 0.78 - 0.2 * v, shade)
    picture = np.stack([grey * tint for tint in (1.0, 0.95, 0.88)])
    frame = to_uint8(torch.from_numpy(np.where(sky, grey, picture)))[None]
    return frame, torch.from_numpy(np.where(sky, np.inf, distance)).float()


def photograph(name: str) -> Tensor:
    """The middle of a bundled photograph, uint8 `(1, c, h, w)`."""
    picture = to_uint8(bundled_photographs()[name])
    top, left = (picture.shape[-2] - SIZE[0]) // 2, (picture.shape[-1] - SIZE[1]) // 2
    return picture[None, :, top : top + SIZE[0], left : left + SIZE[1]]


def tile(clean: Tensor, rain: Rain, label: str, start: int = 10, depth: Tensor | None = None) -> Image.Image:
    """Frame `start` of a rain over a picture, with its name."""
    rainy = render(clean, rain, 3, start, depth).rainy[0]
    image = Image.fromarray(rearrange(rainy, "c h w -> h w c").contiguous().numpy())
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 8 + draw.textlength(label, font_size=14), 20), fill=(0, 0, 0))
    draw.text((4, 2), label, fill=(255, 255, 255), font_size=14)
    return image


def tiles() -> list[Image.Image]:
    """Everything on the sheet."""
    china, rocket, (road, distances) = photograph("china"), photograph("rocket"), street()
    drawn = [
        tile(rocket if name == "night" else road if name == "drive" else china, rain, name)
        for name, rain in PRESETS.items()
    ]
    drawn.append(tile(road, replace(PRESETS["downpour"], veil=3), "downpour, depth map", depth=distances))
    drawn.append(tile(road, replace(PRESETS["downpour"], veil=3), "the same without"))
    slow = replace(PRESETS["sparse"], frame_rate=400, exposure=1 / 800, rate=20, light=6)
    drawn += [tile(china, slow, f"400 frames a second: frame {i}", i) for i in range(3)]
    return drawn


def sheet(images: list[Image.Image]) -> Image.Image:
    """Images side by side."""
    rows = -(-len(images) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * SIZE[1], rows * SIZE[0]), "white")
    for i, image in enumerate(images):
        whole.paste(image, (i % COLUMNS * SIZE[1], i // COLUMNS * SIZE[0]))
    return whole


if __name__ == "__main__":
    out = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_suffix(".jpg")
    sheet(tiles()).save(out, quality=85)
