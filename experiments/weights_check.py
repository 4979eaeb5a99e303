"""How good weights are on rain and scenes that they were not learned from: rain left, harm to clean video, flicker.

Lays real streak layers (Garg and Nayar's database) over held-out video in ways that no training sample was made in, and
prints a Markdown table: psnr_y of the rainy and of the derained frames (`ends`: of the first and the last alone, whose
windows are reflected), the derained clean video against itself (harm; without and with letters over it), and temporal_y
of the derained and of the rainy video. Means over frames, then over videos. Each clip is cut to its middle, so that
many fit into minutes. With --stored, rainy and clean clips are what lossy files of them give back: JPEG of quality 75,
or H.264 of rate factor 23.

    OMP_NUM_THREADS=1 python experiments/weights_check.py [WEIGHTS ...] [--frames 6] [--stored jpeg|h264]
      [--self-ensemble] [--json FILE]

WEIGHTS are names of shipped weights or safetensors files; rrgnet by default.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from raincheck.datasets.base import Footage
from raincheck.datasets.excerpt import CentreCrop
from raincheck.datasets.photographs import FilmedPhotograph, folder_photographs
from raincheck.datasets.rendering.caption import draw_caption
from raincheck.datasets.rendering.compressed import as_jpegs, as_video
from raincheck.deraining.ensemble import SelfEnsemble
from raincheck.deraining.passing import derain_frames
from raincheck.metrics.psnr import psnr_y
from raincheck.metrics.temporal import temporal_y
from raincheck.networks.base import ClipNetwork
from raincheck.networks.weights import load_network
from raincheck.video.access.footage import open_footage
from raincheck.video.images.still import read_image
from raincheck.video.pixels import to_float, to_uint8

VIDEOS = ("bear.mp4", "skate.mp4", "cat.mp4", "backpack.mp4", "paragliding_launch.mp4", "judo", "bmx_trees")
SIZE = (240, 400)
Blend = Callable[[Tensor, Tensor], Tensor]

# Scene and streaks in [0, 1] to the rainy scene. `hard` has opaque streaks with hard edges.
BLENDS: dict[str, Blend] = {
    "add": lambda scene, streaks: scene + 0.9 * streaks,
    "screen": lambda scene, streaks: 1 - (1 - scene) * (1 - 0.8 * streaks),
    "faint": lambda scene, streaks: scene + 0.3 * streaks,
    "grey": lambda scene, streaks: scene + (0.8 - scene) * (1.6 * streaks).clamp(max=0.7),
    "hard": lambda scene, streaks: scene + (0.9 - scene) * (6 * streaks - 1.5).clamp(0, 1),
    "wide": lambda scene, streaks: scene + (1 - scene) * (1.5 * streaks).clamp(max=0.9),
}

STORES: dict[str, Callable[[Tensor], Tensor]] = {
    "raw": lambda clip: clip,
    "jpeg": lambda clip: as_jpegs(clip, 75),
    "h264": lambda clip: as_video(clip, 23),
}


def scenes(data: Path, frames: int) -> Iterator[Footage]:
    """The held-out footage, `frames` long each."""
    for name in VIDEOS:
        yield CentreCrop(open_footage(data / "clean" / name), frames, SIZE)
    pictures = folder_photographs((data / "photos/mcmaster").resolve())
    for name in list(pictures)[::6]:
        yield CentreCrop(FilmedPhotograph(name, pictures[name], (), SIZE, frames), frames, SIZE)


def streak_layers(data: Path, kind: str, video: int, frames: int) -> Tensor:
    """Real streaks over time, float32 `(t, 1, h, w)` in [0, 1].

    The layers have no order in time: each video falls through one layer, at a speed of its own along the streaks, and
    every second video shows another layer in each frame.
    """
    rng = np.random.default_rng((video, *kind.encode()))
    files = sorted((data / "streaks/garg06").glob("*.png"))
    chosen = [files[int(i)] for i in rng.integers(len(files), size=frames)]
    scale = float(rng.uniform(1.8, 3)) if kind == "wide" else float(rng.uniform(0.8, 1.4))
    speed = rng.uniform(15, 60)
    layers = []
    for t in range(frames):
        layer = to_float(read_image(chosen[t if video % 2 else 0])).mean(0, keepdim=True)
        layer = F.interpolate(layer[None], scale_factor=scale, mode="bilinear", align_corners=False)[0]
        rows = -(-SIZE[0] // layer.shape[-2]) + 1
        tall = layer.repeat(1, rows, 2)
        down = 0 if video % 2 else round(speed * t) % layer.shape[-2]
        top = layer.shape[-2] - down
        layers.append(tall.roll(-top, 1)[:, : SIZE[0], : SIZE[1]])
    return torch.stack(layers)


def score(network: ClipNetwork, rainy: Tensor, clean: Tensor) -> dict[str, float]:
    """Scores of one video, uint8 `(t, c, h, w)` each."""
    derained = torch.stack(list(derain_frames(rainy, network, torch.device("cpu"), cuts=False)))
    each = psnr_y(derained, clean)
    return {
        "rainy": float(psnr_y(rainy, clean).mean()),
        "derained": float(each.mean()),
        "ends": float(each[[0, -1]].mean()),
        "flicker": float(temporal_y(derained[1:], derained[:-1], clean[1:], clean[:-1]).mean()),
        "rainy flicker": float(temporal_y(rainy[1:], rainy[:-1], clean[1:], clean[:-1]).mean()),
    }


def check(network: ClipNetwork, data: Path, frames: int, stored: str = "raw") -> dict[str, dict[str, dict[str, float]]]:
    """Scores by rain and video; the rain `none` is the clean video, `letters` likewise with letters over it."""
    store = STORES[stored]
    found: dict[str, dict[str, dict[str, float]]] = {}
    for video, footage in enumerate(scenes(data, frames)):
        clean = footage.read(0, len(footage))
        high, wide = clean.shape[-2:]
        lettered = draw_caption(np.random.default_rng(video), (high, wide)).lay(clean)
        for kind, dry in (("none", clean), ("letters", lettered)):
            found.setdefault(kind, {})[footage.name] = score(network, store(dry), store(dry))
        for kind, blend in BLENDS.items():
            streaks = streak_layers(data, kind, video, len(clean))[..., :high, :wide]
            rainy = to_uint8(blend(to_float(clean), streaks).clamp(0, 1))
            found.setdefault(kind, {})[footage.name] = score(network, store(rainy), store(clean))
    return found


def table(name: str, found: dict[str, dict[str, dict[str, float]]]) -> str:
    """One Markdown table for one file of weights."""
    videos = list(next(iter(found.values())))
    lines = [
        f"| {name} | " + " | ".join(videos) + " | mean | ends | rainy | flicker (rainy) |",
        "|---" * (len(videos) + 5) + "|",
    ]
    for kind, scores in found.items():
        mean = {key: fmean(score[key] for score in scores.values()) for key in next(iter(scores.values()))}
        cells = [f"{scores[video]['derained']:.2f}" for video in videos]
        cells += [
            f"**{mean['derained']:.2f}**",
            f"{mean['ends']:.2f}",
            f"{mean['rainy']:.2f}",
            f"{mean['flicker']:.2f} ({mean['rainy flicker']:.2f})",
        ]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Scores each file of weights."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("weights", nargs="*", default=["rrgnet"], help="names or safetensors files")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the test material")
    parser.add_argument("--frames", type=int, default=6, help="frames of each video")
    parser.add_argument("--stored", choices=STORES, default="raw", help="how clips were stored before")
    parser.add_argument("--self-ensemble", action="store_true", help="as raincheck derain has it")
    parser.add_argument("--json", type=Path, help="keep all scores there")
    options = parser.parse_args()
    if not (options.data / "streaks").is_dir():
        sys.exit(f"there is no test material at {options.data}; name its folder with --data")
    kept = {}
    for weights in options.weights:
        network = load_network(weights)
        if options.self_ensemble:
            network = SelfEnsemble(network, network.decode)
        kept[weights] = check(network, options.data, options.frames, options.stored)
        print(table(weights, kept[weights]) + "\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
