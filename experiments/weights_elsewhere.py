"""How good weights are on the rain of another library, which nobody here drew: albumentations' `RandomRain`.

Draws it over the held-out scenes of weights_check.py, other streaks on each frame, and prints a Markdown table of
psnr_y, rainy and derained; means over frames, then over videos. Its darkening of the whole frame is switched off, which
no network could tell from dusk, and its blur is 3 pixels; other arguments than those in `RAINS` have their defaults.

    pip install -e '.[albumentations]'
    OMP_NUM_THREADS=1 python experiments/weights_elsewhere.py [WEIGHTS ...] [--frames 6]

WEIGHTS are names of shipped weights or safetensors files; both shipped ones by default.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from weights_check import scenes, score

from raincheck.networks.weights import load_network

RAINS: dict[str, dict[str, Any]] = {
    "thin": {"drop_width": 1},
    "wide": {"drop_width": 2},
    "slanted": {"slant_range": (10, 15)},
    "long": {"drop_length": 40},
    "sharp": {"blur_value": 1},
    "drizzle": {"rain_type": "drizzle"},
    "heavy": {"rain_type": "heavy"},
    "torrential": {"rain_type": "torrential"},
}


def rain(clean: Tensor, kind: str, video: int) -> Tensor:
    """Frames under one of `RAINS`, uint8 `(t, c, h, w)` as they were given."""
    import albumentations

    drawn = []
    for number, frame in enumerate(clean):
        lay = albumentations.RandomRain(brightness_coefficient=1.0, p=1.0, **{"blur_value": 3, **RAINS[kind]})
        lay.set_random_seed(1000 * video + number)
        drawn.append(torch.from_numpy(lay(image=frame.permute(1, 2, 0).contiguous().numpy())["image"]).permute(2, 0, 1))
    return torch.stack(drawn)


def main() -> None:
    """Scores each file of weights."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("weights", nargs="*", default=["rrgnet", "rrgnet-small"], help="names or safetensors files")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the test material")
    parser.add_argument("--frames", type=int, default=6, help="frames of each video")
    options = parser.parse_args()
    if not (options.data / "clean").is_dir():
        sys.exit(f"there is no test material at {options.data}; name its folder with --data")
    if not find_spec("albumentations"):
        sys.exit("there is no albumentations here; install it with pip install -e '.[albumentations]'")
    clips = [footage.read(0, len(footage)) for footage in scenes(options.data, options.frames)]
    print(f"| rain | rainy | {' | '.join(options.weights)} |\n|---{'|---:' * (1 + len(options.weights))}|")
    for kind in RAINS:
        rainy = [rain(clean, kind, video) for video, clean in enumerate(clips)]
        found = []
        for weights in options.weights:
            network = load_network(weights)
            found.append([score(network, *pair) for pair in zip(rainy, clips, strict=True)])
        means = [
            fmean(one["rainy"] for one in found[0]),
            *(fmean(one["derained"] for one in scores) for scores in found),
        ]
        print(f"| {kind} | {' | '.join(f'{mean:.2f}' for mean in means)} |", flush=True)


if __name__ == "__main__":
    main()
