"""What the seam costs: a training step under a loop by hand, under Avalanche's own loop, and under LightningStrategy.

All train the same network from the same weights on the same random tensors in the same order, without continual
learning (finetune), and as the second of two tasks with rain review and distillation (rrgnet), which the loop by hand
does by hand. `logging` is LightningStrategy with every loss term of every step in a CSV file; the others log nothing.
At the end of each repeat their weights are compared, bit for bit on the CPU.

Repeats are interleaved and take turns at going first, so that a machine that slows down slows down all of them; the
median over repeats of the median step counts. Ratios are of medians, to the loop by hand; in brackets are the quartiles
of the repeats' own. A step runs from one evaluation of the loss to the next; what an experience costs besides its steps
(data loaders, a fresh Trainer, review memory and teacher) is "around". Memory is measured in a process of its own for
each loop: on the CPU the peak above what was resident when training began, on a GPU what torch allocated at most.

    python benchmarks/train_step.py [--steps 40] [--repeats 9] [--device cpu] [--save]
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from learners import BATCH, Stopwatch, by_hand, by_strategy, quiet
from memory import most_resident
from raincheck.networks import RRGNet
from results import Measured, options_parser, save_if_asked

WINDOW, CROP = 5, 64
SIZES = {"tiny": (4, 1), "default": (32, 1), "large": (48, 2)}  # RRGNet's width and depth
METHODS = ("finetune", "rrgnet")
LOOPS = ("hand", "avalanche", "lightning", "logging")
WARM_UP = 3  # steps whose time does not count


@dataclass(frozen=True)
class Timing:
    """One experience: seconds of the median step, seconds around the steps, and the weights at the end."""

    step: float
    around: float
    weights: list[Tensor]


def tensors(steps: int, label: int) -> TensorDataset:
    """Clips, clean centre frames and labels for so many steps."""
    generator = torch.Generator().manual_seed(label)
    return TensorDataset(
        torch.rand(steps * BATCH, WINDOW, 3, CROP, CROP, generator=generator),
        torch.rand(steps * BATCH, 3, CROP, CROP, generator=generator),
        torch.full((steps * BATCH,), label),
    )


def tasks(method: str, steps: int) -> list[TensorDataset]:
    """The task that is timed, after a short one if there is something to remember."""
    return [tensors(steps, 0)] if method == "finetune" else [tensors(2, 0), tensors(steps, 1)]


def train(loop: str, method: str, size: str, data: Sequence[TensorDataset], device: torch.device) -> Timing:
    """Trains a fresh network, once through each task, and times the last."""
    width, depth = SIZES[size]
    torch.manual_seed(0)
    network = RRGNet(WINDOW, width, depth).to(device)
    watch = Stopwatch(device)
    with TemporaryDirectory() as folder:
        if loop == "hand":
            learn_task = by_hand(method, network, watch, data)
        else:
            learn_task = by_strategy(loop, method, network, watch, data, folder)
        for task in range(len(data)):
            watch.calls.clear()
            began = time.perf_counter()
            learn_task(task)
        watch.note()
    *calls, ended = watch.calls
    step = median(later - earlier for earlier, later in pairwise(calls[WARM_UP:]))
    around = ended - began - (calls[-1] - calls[0]) - step
    return Timing(step, around, [p.detach().cpu() for p in network.parameters()])


def peak_memory(loop: str, method: str, size: str, steps: int, device: str) -> float:
    """MB that training takes, measured in a fresh process."""
    command = [sys.executable, __file__, "--memory-of", loop, method, size, "--steps", str(steps), "--device", device]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def own_peak(loop: str, method: str, size: str, steps: int, device: torch.device) -> float:
    """MB that training takes in this process, which must be fresh; the tensors it trains on are not counted."""
    data = tasks(method, steps)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        train(loop, method, size, data, device)
        return torch.cuda.max_memory_allocated(device) / 1e6
    most_resident()  # a peak of the imports', which may be above what is resident now
    before = most_resident()
    train(loop, method, size, data, device)
    return most_resident() - before


def compare(method: str, size: str, steps: int, repeats: int, device: torch.device) -> list[list[str]]:
    """The rows of one method and network size."""
    data = tasks(method, steps)
    timings: dict[str, list[Timing]] = {loop: [] for loop in LOOPS}
    for repeat in range(repeats):
        first = repeat % len(LOOPS)
        for loop in LOOPS[first:] + LOOPS[:first]:
            timings[loop].append(train(loop, method, size, data, device))
        check_same(timings, device)
    parameters = sum(weights.numel() for weights in timings["hand"][0].weights)
    rows = []
    for loop, measured in timings.items():
        ms = 1e3 * median(timing.step for timing in measured)
        around = 1e3 * median(timing.around for timing in measured)
        memory = peak_memory(loop, method, size, steps, str(device))
        name = f"{size} ({parameters / 1e6:.2f} M), {method}, {loop}"
        rows.append([name, f"{ms:.2f}", ratio(measured, timings["hand"]), f"{around:.0f}", f"{memory:.0f}"])
    return rows


def ratio(measured: Sequence[Timing], base: Sequence[Timing]) -> str:
    """The ratio of the medians, and the quartiles of the repeats' own ratios."""
    of_medians = median(timing.step for timing in measured) / median(timing.step for timing in base)
    own = [one.step / other.step for one, other in zip(measured, base, strict=True)]
    low, _, high = quantiles(own, n=4, method="inclusive") if len(own) > 1 else own * 3
    return f"{of_medians:.3f} ({low:.3f} to {high:.3f})"


def check_same(timings: dict[str, list[Timing]], device: torch.device) -> None:
    """Stops if they did not all do the same; GPUs add in any order."""
    tolerance = 0.0 if device.type == "cpu" else 1e-3
    for loop in LOOPS[1:]:
        for ours, theirs in zip(timings[loop][-1].weights, timings["hand"][-1].weights, strict=True):
            if not torch.allclose(ours, theirs, rtol=0, atol=tolerance):
                sys.exit(f"{loop} ended with other weights than the loop by hand: the times cannot be compared")


def main() -> None:
    parser = options_parser(__doc__)
    parser.add_argument("--steps", type=int, default=40, help=f"of an experience, more than {WARM_UP + 1}")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--memory-of", nargs=3, metavar=("LOOP", "METHOD", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.steps <= WARM_UP + 1:
        parser.error(f"--steps must be more than {WARM_UP + 1}")
    quiet()
    if options.memory_of:
        print(json.dumps(own_peak(*options.memory_of, options.steps, options.device)))
        return
    rows = [
        row
        for size in options.sizes
        for method in options.methods
        for row in compare(method, size, options.steps, options.repeats, options.device)
    ]
    table = Measured(
        f"A training step of RRGNet, batch {BATCH} of {WINDOW}x{CROP}x{CROP}, median of {options.repeats}",
        ["network, method, loop", "ms a step", "ratio", "ms around", "peak MB"],
        rows,
    )
    table.show()
    save_if_asked(options, table)


if __name__ == "__main__":
    main()
