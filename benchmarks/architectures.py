"""Quality per second: RRGNets of several sizes, each trained in as many steps, against their time a frame.

Each size learns all rains of experiments/weights.yaml at once (`learn: joint`), so that no order of tasks favours one,
and is scored by experiments/weights_check.py. Short trainings rank sizes for short trainings: a large network gains
more from more steps. Each training is a run of its own below `--out`: stopped anywhere, the same command goes on there,
and what is finished is not repeated. Times are of `derain_frames`, with all threads that torch has; median of repeats.

    OMP_NUM_THREADS=1 python benchmarks/architectures.py [--steps 1000] [--sizes 16x1 24x1 32x1 32x2 48x2] [--save]

A size is width x depth. Needs the material in ../shared/data beside the project.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import fmean, median
from typing import Any

import torch

from raincheck.config import parse
from raincheck.deraining import derain_frames
from raincheck.networks import ClipNetwork, load_network
from raincheck.run import run
from results import Measured, options_parser, save_if_asked

ROOT = Path(__file__).parents[1]
SIZE = (480, 640)


def learned(size: str, steps: int, out: Path) -> ClipNetwork:
    """The network of a size, trained here or before."""
    width, depth = size.split("x")
    options = ["--config", str(ROOT / "experiments" / "weights.yaml"), "--stream.root", str(ROOT)]
    options += ["--stream.learn", "joint", "--stream.steps", str(steps)]
    options += ["--network.init_args.width", width, "--network.init_args.depth", depth]
    # One task has nothing to review and no teacher.
    options += ["--plugins", json.dumps([{"class_path": "raincheck.plugins.CosineSchedule"}])]
    run(parse(options), out)
    return load_network(out)


def scores(out: Path) -> dict[str, Any]:
    """What experiments/weights_check.py finds, kept beside the run."""
    found = out / "check.json"
    if not found.exists():
        data = ROOT.parent / "shared" / "data"
        command = [sys.executable, str(ROOT / "experiments" / "weights_check.py"), str(out), "--frames", "4"]
        subprocess.run([*command, "--data", str(data), "--json", str(found)], check=True)
    checked: dict[str, Any] = json.loads(found.read_text())[str(out)]
    return checked


def seconds_a_frame(network: ClipNetwork, repeats: int) -> float:
    """Median over repeats of the time of a frame of `SIZE`, five frames a repeat."""
    frames = torch.randint(0, 256, (5, 3, *SIZE), dtype=torch.uint8)
    taken = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        list(derain_frames(frames, network, torch.device("cpu"), cuts=False))
        taken.append((time.perf_counter() - began) / len(frames))
    return median(taken[1:])


def main() -> None:
    parser = options_parser(__doc__)
    parser.add_argument("--steps", type=int, default=1000, help="a task; the recipe has four")
    parser.add_argument("--sizes", nargs="+", default=["16x1", "24x1", "32x1", "32x2", "48x2"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/architectures"))
    options = parser.parse_args()
    rows = []
    for size in options.sizes:
        out = options.out / f"{size}-{options.steps}"
        network, found = learned(size, options.steps, out), scores(out)
        rains = found.keys() - {"none", "letters"}
        rain = fmean(score["derained"] for kind in rains for score in found[kind].values())
        clean = fmean(score["derained"] for score in found["none"].values())
        count = sum(p.numel() for p in network.parameters())
        took = seconds_a_frame(network, options.repeats)
        rows.append([size, f"{count / 1e6:.2f}", f"{took:.3f}", f"{rain:.2f}", f"{clean:.2f}"])
    table = Measured(
        f"RRGNet by size, {4 * options.steps} steps on all rains at once, frames of {SIZE[1]}x{SIZE[0]}",
        ["width x depth", "M parameters", "s/frame", "psnr_y derained, dB", "psnr_y of clean video, dB"],
        rows,
    )
    table.show()
    save_if_asked(options, table)


if __name__ == "__main__":
    main()
