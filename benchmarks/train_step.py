"""What the seam costs: a training step under a loop by hand, under Avalanche's own loop, and under LightningStrategy.

All three train the same network from the same weights on the same random tensors in the same order, without plugins
and without logging; at the end of each repeat their weights are compared, bit for bit on the CPU. Repeats are
interleaved, so that a machine that slows down slows down all three, and the median counts. A step runs from one
evaluation of the loss to the next; what an experience costs besides its steps (data loaders, a fresh Trainer) is
"around". Memory is measured in a process of its own for each loop: on the CPU the peak above what was resident when
training began, on a GPU what torch allocated at most.

    python benchmarks/train_step.py [--steps 40] [--repeats 5] [--device cpu] [--save]
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.templates import SupervisedTemplate
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from raincheck.networks import RRGNet
from raincheck.strategy import LightningStrategy
from results import Measured

WINDOW, CROP, BATCH, RATE = 5, 64, 8, 1e-3
SIZES = {"small": (12, 1), "demo": (24, 1), "large": (48, 2)}  # RRGNet's width and depth
LOOPS = ("hand", "avalanche", "lightning")
WARM_UP = 3  # steps whose time does not count


class Stopwatch(nn.Module):
    """The L1 loss, which notes when it is called."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device = device
        self.calls: list[float] = []

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """A scalar."""
        self.note()
        return F.l1_loss(output, target)

    def note(self) -> None:
        """Notes the time, when all that was asked of the GPU before is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.calls.append(time.perf_counter())


@dataclass(frozen=True)
class Timing:
    """One experience: seconds a step, seconds around the steps, and the weights at the end."""

    step: float
    around: float
    weights: list[Tensor]


def tensors(steps: int) -> TensorDataset:
    """Clips, clean centre frames and labels for so many steps."""
    torch.manual_seed(0)
    return TensorDataset(
        torch.rand(steps * BATCH, WINDOW, 3, CROP, CROP),
        torch.rand(steps * BATCH, 3, CROP, CROP),
        torch.zeros(steps * BATCH, dtype=torch.long),
    )


def train(loop: str, size: str, data: TensorDataset, device: torch.device) -> Timing:
    """Trains a fresh network, once through the data."""
    width, depth = SIZES[size]
    steps = len(data) // BATCH
    torch.manual_seed(0)
    network = RRGNet(WINDOW, width, depth).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    watch = Stopwatch(device)
    began = time.perf_counter()
    if loop == "hand":
        by_hand(network, optimizer, watch, data, device)
    else:
        by_strategy(LightningStrategy if loop == "lightning" else SupervisedTemplate, network, optimizer, watch, data)
    watch.note()
    ended = watch.calls[-1]
    step = (ended - watch.calls[WARM_UP]) / (steps - WARM_UP)
    return Timing(step, ended - began - step * steps, [p.detach().cpu() for p in network.parameters()])


def by_hand(
    network: nn.Module, optimizer: torch.optim.Optimizer, loss: nn.Module, data: TensorDataset, device: torch.device
) -> None:
    """The loop that a tutorial would show."""
    network.train()
    for rainy, clean, _ in DataLoader(data, batch_size=BATCH):
        optimizer.zero_grad()
        loss(network(rainy.to(device)), clean.to(device)).backward()
        optimizer.step()


def by_strategy(
    kind: type[SupervisedTemplate],
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: nn.Module,
    data: TensorDataset,
) -> None:
    """One experience of an Avalanche strategy."""
    strategy = kind(
        model=network,
        optimizer=optimizer,
        criterion=loss,
        train_mb_size=BATCH,
        device=next(network.parameters()).device,
        evaluator=None,
    )
    benchmark = benchmark_from_datasets(train=[AvalancheDataset([data])])
    strategy.train(benchmark.train_stream[0], shuffle=False)


def peak_memory(loop: str, size: str, steps: int, device: str) -> float:
    """MB that training takes, measured in a fresh process."""
    command = [sys.executable, __file__, "--memory-of", loop, size, "--steps", str(steps), "--device", device]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def own_peak(loop: str, size: str, steps: int, device: torch.device) -> float:
    """MB that training takes in this process, which must be fresh; the tensors it trains on are not counted."""
    data = tensors(steps)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        train(loop, size, data, device)
        return torch.cuda.max_memory_allocated(device) / 1e6
    most_resident()  # a peak of the imports', which may be above what is resident now
    before = most_resident()
    train(loop, size, data, device)
    return most_resident() - before


def most_resident() -> float:
    """The most memory that was resident since the last call, in MB; since the beginning where it cannot be reset."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: on Linux its peak outlives exec, so it may be the parent's.
        peak = float(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
        Path("/proc/self/clear_refs").write_text("5")
        return peak
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def compare(size: str, steps: int, repeats: int, device: torch.device) -> list[list[str]]:
    """The rows of one network size."""
    data = tensors(steps)
    timings: dict[str, list[Timing]] = {loop: [] for loop in LOOPS}
    for _ in range(repeats):
        for loop in LOOPS:
            timings[loop].append(train(loop, size, data, device))
        check_same(timings, device)
    memory = {loop: peak_memory(loop, size, steps, str(device)) for loop in LOOPS}
    base = median(timing.step for timing in timings["hand"])
    parameters = sum(weights.numel() for weights in timings["hand"][0].weights)
    rows = []
    for loop, measured in timings.items():
        step = median(timing.step for timing in measured)
        around = median(timing.around for timing in measured)
        numbers = f"{1e3 * step:.2f}", f"{step / base:.3f}", f"{1e3 * around:.0f}", f"{memory[loop]:.0f}"
        rows.append([f"{size} ({parameters / 1e6:.2f} M), {loop}", *numbers])
    return rows


def check_same(timings: dict[str, list[Timing]], device: torch.device) -> None:
    """Stops if the three did not do the same; GPUs add in any order."""
    tolerance = 0.0 if device.type == "cpu" else 1e-3
    for loop in LOOPS[1:]:
        for ours, theirs in zip(timings[loop][-1].weights, timings["hand"][-1].weights, strict=True):
            if not torch.allclose(ours, theirs, rtol=0, atol=tolerance):
                sys.exit(f"{loop} ended with other weights than the loop by hand: the times cannot be compared")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=40, help=f"of an experience, more than {WARM_UP}")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--save", action="store_true", help="keep the table in this folder, with hardware and date")
    parser.add_argument("--memory-of", nargs=2, metavar=("LOOP", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.steps <= WARM_UP:
        parser.error(f"--steps must be more than {WARM_UP}")
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="avalanche")  # out of our control
    warnings.filterwarnings("ignore", message="Avalanche is transitioning")  # out of our control
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # out of our control, inside Lightning
    warnings.filterwarnings("ignore", message="No loggers specified")  # expected: nothing is logged here
    if options.memory_of:
        loop, size = options.memory_of
        print(json.dumps(own_peak(loop, size, options.steps, options.device)))
        return
    rows = [row for size in options.sizes for row in compare(size, options.steps, options.repeats, options.device)]
    table = Measured(
        f"A training step of RRGNet, batch {BATCH} of {WINDOW}x{CROP}x{CROP}, median of {options.repeats}",
        ["network, loop", "ms a step", "ratio", "ms around", "peak MB"],
        rows,
    )
    table.show()
    if options.save:
        settings = f"--steps {options.steps} --repeats {options.repeats} --device {options.device}"
        print(f"written to {table.save(Path(__file__).stem, str(options.device), settings)}")


if __name__ == "__main__":
    main()
