"""Draws docs/before_after.jpg: rainy, derained by the shipped weights, and clean frames that these never learned from.

    python docs/before_after.py [FILE.jpg]

The pictures, filmed by a moving camera: china.jpg, which comes with scikit-learn (CC BY 2.0, danielbuechele, flickr
6061409035); coffee.png, which comes with scikit-image (CC0, Rachel Michetti). Scores of each frame are printed.
"""

import sys
from pathlib import Path

import torch
from einops import rearrange
from PIL import Image

from raincheck import derain
from raincheck.datasets.photographs import FilmedPhotograph, bundled_photographs
from raincheck.datasets.rendered import as_rains
from raincheck.datasets.rendering.video import RenderedVideo
from raincheck.metrics.psnr import psnr_y

SIZE = (240, 320)
SHOWN = (("china", "dense"), ("coffee", "wind"))
LENGTH, FRAME = 9, 4


def main() -> None:
    """Writes the sheet, one row a scene."""
    rows = []
    for seed, (name, rain) in enumerate(SHOWN):
        film = FilmedPhotograph(name, bundled_photographs()[name], (), SIZE, LENGTH)
        rainy, clean = RenderedVideo(film, as_rains(rain), seed).read(0, LENGTH)
        derained = torch.stack(list(derain(rainy)))
        scores = (float(psnr_y(frames[FRAME, None], clean[FRAME, None])) for frames in (rainy, derained))
        print(f"{name}, {rain}: psnr_y {' -> '.join(f'{score:.1f}' for score in scores)} dB")
        rows.append(torch.cat([frames[FRAME] for frames in (rainy, derained, clean)], -1))
    sheet = rearrange(torch.cat(rows, -2), "c h w -> h w c").contiguous().numpy()
    Image.fromarray(sheet).save(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_suffix(".jpg"), quality=90)


if __name__ == "__main__":
    main()
