"""What deraining a file costs besides the network: decoding, windowing, conversion, encoding.

A film of a bundled photograph is derained from file to file by the default RRGNet (its speed does not depend on its
weights, so they are random), and every stage is run alone on the same frames. Repeats are interleaved, and the median
counts. The stages overlap, because FFmpeg decodes and encodes in threads of its own: their shares of the whole need
not add up to 100 %.

    python benchmarks/derain.py [--frames 60] [--repeats 5] [--device cpu] [--save]
"""

import argparse
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from einops import rearrange
from torch import Tensor

from raincheck.datasets.photographs import FilmedPhotograph, bundled_photographs
from raincheck.deraining import derain, derain_frames
from raincheck.networks import ClipNetwork, RRGNet, load_network, save_weights
from raincheck.video.decode import open_stream
from raincheck.video.encode import open_writer
from raincheck.video.pixels import to_float
from raincheck.video.window import windows
from raincheck.video.writers import Look
from results import Measured

SIZE = (480, 640)
RATE = Fraction(25)


def film(frames: int) -> Tensor:
    """Real content, uint8 `(t, c, h, w)`: noise would be hard on the codec, a still picture easy."""
    name, picture = next(iter(bundled_photographs().items()))
    return FilmedPhotograph(name, picture, size=SIZE, length=frames).read(0, frames)


def encode(frames: Iterable[Tensor], path: Path) -> None:
    """Writes a video as `derain` does."""
    with open_writer(path, Look(RATE, SIZE)) as writer:
        for frame in frames:
            writer.write(frame)


def decode(path: Path) -> int:
    """Reads a video as `derain` does."""
    return sum(1 for _ in open_stream(path).frames())


@torch.inference_mode()
def network_alone(network: ClipNetwork, frames: Tensor, device: torch.device) -> Tensor:
    """Features of every frame once, every window once, on tensors that are ready on the device."""
    features = (network.encode(frame[None]) for frame in frames)
    for window, frame in zip(windows(features, network.window), frames, strict=True):
        derained = network.decode(rearrange(window, "t 1 f h w -> 1 t f h w"), frame[None])
    return derained.cpu()


def seconds(stage: Callable[[], object], device: torch.device) -> float:
    """How long a stage takes."""
    began = time.perf_counter()
    stage()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def stages(folder: Path, frames: Tensor, device: torch.device) -> dict[str, Callable[[], object]]:
    """What is timed, by name; `derain` is the whole."""
    weights, rainy = folder / "random.safetensors", folder / "rainy.mp4"
    save_weights(RRGNet(), weights)
    encode(frames, rainy)
    network = load_network(weights).to(device)
    ready = to_float(frames).to(device)
    return {
        "derain, file to file": lambda: derain(rainy, folder / "whole.mp4", weights=weights, device=str(device)),
        "network alone": lambda: network_alone(network, ready, device),
        "network, windows, conversion": lambda: list(derain_frames(frames, network, device)),
        "decode": lambda: decode(rainy),
        "encode": lambda: encode(frames, folder / "copy.mp4"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--save", action="store_true", help="keep the table in this folder, with hardware and date")
    options = parser.parse_args()
    taken: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:
        timed = stages(Path(folder), film(options.frames), options.device)
        seconds(timed["network alone"], options.device)  # warm-up
        for _ in range(options.repeats):
            for name, stage in timed.items():
                taken.setdefault(name, []).append(seconds(stage, options.device))
    middle = {name: median(times) for name, times in taken.items()}
    whole = next(iter(middle.values()))
    table = Measured(
        f"derain at {SIZE[1]}x{SIZE[0]}, {options.frames} frames, default RRGNet, median of {options.repeats}",
        ["stage", "frames/s", "s/frame", "share of derain"],
        [
            [name, f"{options.frames / s:.2f}", f"{s / options.frames:.4f}", f"{100 * s / whole:.0f} %"]
            for name, s in middle.items()
        ],
    )
    table.show()
    if options.save:
        settings = f"--frames {options.frames} --repeats {options.repeats} --device {options.device}"
        print(f"written to {table.save(Path(__file__).stem, str(options.device), settings)}")


if __name__ == "__main__":
    main()
