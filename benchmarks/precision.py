"""What bfloat16 saves in time, and what it changes in pixels: bf16 against fp32 on the same rainy frames.

Films of a bundled photograph under rendered rain are derained in memory, window by window as `raincheck derain` does
it, without decoding and encoding: a short warm-up of each precision, then fp32, bf16, bf16, fp32, so that a machine
that grows slower or faster favours neither. Times are means of the two. Differences are in grey levels (of 255) over
all values of all frames: their mean, the share of values that differ by more than one, and the largest.

    python benchmarks/precision.py [--sizes 640x480:32 1280x720:16 1920x1080:10] [--rains light downpour]
        [--device cpu] [--weights rrgnet] [--compile] [--save]

5 minutes on two cores.
"""

import argparse
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from raincheck.datasets.photographs import FilmedPhotograph, bundled_photographs
from raincheck.deraining import Engine, derain_pairs, network_on
from raincheck.deraining.allocator import keep_freed_memory
from raincheck.rain.presets import PRESETS
from raincheck.rain.render import render
from results import Measured, options_parser, save_if_asked

SIZES = ["640x480:32", "1280x720:16", "1920x1080:10"]
RAINS = ["light", "downpour"]
WARM_UP = 3  # frames
COLUMNS = ["size, rain", "frames", "fp32 s/frame", "bf16 s/frame", "bf16 / fp32", "mean diff.", "over 1", "max diff."]


def rainy_film(wide: int, high: int, count: int, rain: str) -> Tensor:
    """Frames uint8 `(t, c, h, w)` of a photograph under a preset's rain."""
    name, picture = next(iter(bundled_photographs().items()))
    footage = FilmedPhotograph(name, picture, size=(high, wide), length=count)
    return render(footage.read(0, count), PRESETS[rain], seed=0).rainy


def derained(frames: Tensor, engine: Engine) -> tuple[Tensor, float]:
    """The frames derained, and seconds a frame that it took; they lie on the CPU, so nothing is left to compute."""
    began = time.perf_counter()
    result = torch.stack([derained for _, derained in derain_pairs(frames, engine, cuts=False)])
    return result, (time.perf_counter() - began) / len(frames)


def measure(words: str, rain: str, options: argparse.Namespace) -> Sequence[str]:
    """One row: a size with a number of frames, and a rain."""
    size, _, count = words.partition(":")
    wide, high = map(int, size.split("x"))
    frames = rainy_film(wide, high, int(count), rain)
    results: dict[str, Tensor] = {}
    taken: dict[str, list[float]] = {"fp32": [], "bf16": []}
    engines = {
        precision: Engine(*network_on(options.weights, str(options.device)), precision, "auto", options.compile)
        for precision in taken
    }
    for engine in engines.values():
        derained(frames[:WARM_UP], engine)
    for precision in ("fp32", "bf16", "bf16", "fp32"):
        results[precision], seconds = derained(frames, engines[precision])
        taken[precision].append(seconds)
    full, half = (sum(times) / len(times) for times in taken.values())
    apart = (results["bf16"].int() - results["fp32"].int()).abs()
    return [
        f"{size}, {rain}",
        count,
        f"{full:.4f}",
        f"{half:.4f}",
        f"{half / full:.3f}",
        f"{apart.float().mean():.4f}",
        f"{100 * (apart > 1).float().mean():.4f} %",
        f"{apart.max()}",
    ]


def main() -> None:
    parser = options_parser(__doc__)
    parser.add_argument("--sizes", nargs="*", default=SIZES, metavar="WxH:FRAMES")
    parser.add_argument("--rains", nargs="*", default=RAINS, choices=sorted(PRESETS), metavar="RAIN")
    parser.add_argument("--weights", default="rrgnet")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    keep_freed_memory()  # as the command does
    rows = [measure(words, rain, options) for words in options.sizes for rain in options.rains]
    table = Measured(f"bf16 against fp32, weights {options.weights}", COLUMNS, rows)
    table.show()
    save_if_asked(options, table)


if __name__ == "__main__":
    main()
