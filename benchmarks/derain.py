"""What deraining a file costs, and what it costs besides the network; how it starts, and what memory it takes.

A film of a bundled photograph, larger than the photograph where need be, is derained from file to file by a new
process, as `raincheck derain` does it; the time is from the first frame that is done to the end of the file. `network
alone` computes the same windows on tensors that are ready on the device, one after another, as a loop in PyTorch would.
The two take turns of a few seconds, the one stopped (SIGSTOP) while the other computes, so that a machine whose speed
drifts is as fast for both. On a CPU the network computes two frames of a file at once, with half of the threads each,
so that the ratio may be below 1. The other stages are run by themselves on the same frames, `network, conversion` two
frames at once as well. They overlap (a thread decodes, two compute, one encodes, and FFmpeg has threads of its own), so
that the shares need not add up to 100 %. The codec holds frames back and compresses the last of them when the network
has nothing left to do, which weighs less the longer the video is.

Start-up is the median wall time of new processes, taken in turns: torch alone, the overview of the commands, and a
picture of 16x16 pixels derained by the default weights. Memory is the most that was ever resident in a new process
that derained a file of so many frames.

    python benchmarks/derain.py [--sizes 640x480:300 1280x720:120 1920x1080:60] [--device cpu] [--precision fp32]
        [--compile] [--save]

Ten minutes or more on two cores.
"""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import islice
from pathlib import Path
from select import select
from statistics import mean, median
from tempfile import TemporaryDirectory

import torch
from PIL import Image
from torch import Tensor

from raincheck.datasets.photographs import FilmedPhotograph, bundled_photographs
from raincheck.deraining import Engine, network_on
from raincheck.deraining.allocator import keep_freed_memory
from raincheck.deraining.passing import derain_pictures
from raincheck.video.cuts import shots
from raincheck.video.pixels import to_float
from raincheck.video.reading.decode import open_stream
from raincheck.video.stream import at_rate
from raincheck.video.window import windows
from raincheck.video.writing.encode import open_writer
from raincheck.video.writing.look import Look
from results import Measured, options_parser, save_if_asked

RATE = Fraction(25)
SIZES = ["640x480:300", "1280x720:120", "1920x1080:60"]  # more than the 40 to 50 frames that x264 holds back
FEW = 8  # frames are enough for a stage that does not depend on their number
LENGTHS = (100, 300, 1000)
STARTS = {
    "import torch": "import torch",
    "raincheck --help": "from raincheck.cli import main; main(['--help'])",
    "raincheck derain, 16x16 picture": "from raincheck.cli import main; main(['derain', 'a.png', 'b.png'])",
}
TURN = 3.0  # seconds, at least: as long as the other's
# Says when the first frame is done, and after the last what memory it took.
TIMED = """
import sys
from memory import most_resident
from raincheck import derain
from raincheck.deraining.allocator import keep_freed_memory
keep_freed_memory()
derain(*sys.argv[1:], progress=lambda done, _: done == 1 and print(flush=True), **{!r})
print(most_resident(), flush=True)
"""
DERAIN = "import sys; from memory import most_resident; from raincheck import derain; derain(*sys.argv[1:]); "


def film(path: Path, wide: int, high: int, frames: int) -> Path:
    """Writes a video of real content: noise would be hard on the codec, a still picture easy."""
    name, picture = next(iter(bundled_photographs().items()))
    footage = FilmedPhotograph(name, picture, size=(high, wide), length=frames)
    encode((footage.read(index, 1)[0] for index in range(frames)), (high, wide), path)
    return path


def encode(frames: Iterable[Tensor], size: tuple[int, int], path: Path) -> None:
    """Writes a video as `derain` does."""
    with open_writer(path, Look(RATE, size)) as writer:
        for frame in frames:
            writer.write(frame)


def seconds(stage: Callable[[], object], device: torch.device) -> float:
    """How long a stage takes."""
    began = time.perf_counter()
    stage()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def network_alone(engine: Engine, frames: list[Tensor]) -> None:
    """Features of every frame once, every window once, on tensors that are ready on the device."""
    network = engine.network
    ready = [to_float(frame[None].to(engine.device)) for frame in frames]
    with torch.inference_mode():
        features = (network.encode(frame) for frame in ready)
        if engine.low:
            features = (feature.to(torch.bfloat16) for feature in features)
        for window, frame in zip(windows(features, network.window), ready, strict=True):
            with torch.autocast(engine.device.type, torch.bfloat16, enabled=engine.low):
                derained = engine.decode(window, frame)
        derained.cpu()


def in_turns(program: str, arguments: list[str], aside: Callable[[], object]) -> tuple[float, float, str]:
    """Runs a new process and `aside` in turns, from its first line on standard output to its second.

    Returns:
        Seconds that the process ran in between, seconds that a call of `aside` took, and that second line.
    """
    command = [sys.executable, "-c", program, *arguments]
    running, asides = 0.0, []
    with subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        ready: list[object] = []
        while not ready:
            process.send_signal(signal.SIGSTOP)
            began = time.perf_counter()
            aside()
            asides.append(time.perf_counter() - began)
            process.send_signal(signal.SIGCONT)
            began = time.perf_counter()
            ready = select([process.stdout], [], [], max(TURN, asides[-1]))[0]
            running += time.perf_counter() - began
        return running, mean(asides), process.stdout.readline()


def measure(words: str, options: argparse.Namespace, folder: Path) -> list[str]:
    """One row of the table: a size with a number of frames."""
    size, _, count = words.partition(":")
    wide, high = map(int, size.split("x"))
    device, number = options.device, int(count)
    rainy = film(folder / f"{size}.mp4", wide, high, number)
    engine = Engine(*network_on(options.weights, str(device)), options.precision, compile=options.compile)
    few, at_once = list(islice(open_stream(rainy).frames(), FEW)), engine.at_once((high, wide))

    def alone() -> None:
        seconds(lambda: network_alone(engine, few), device)

    alone()  # warm-up
    settings = {"weights": options.weights, "precision": options.precision, "compile": options.compile}
    program = TIMED.format(settings | {"device": str(device)})
    running, aside, peak = in_turns(program, [str(rainy), str(folder / "whole.mp4")], alone)
    whole, network = running / (number - 1), aside / FEW
    frames = list(open_stream(rainy).frames())
    stages = [
        seconds(lambda: sum(1 for _ in open_stream(rainy).frames()), device) / number,
        seconds(lambda: sum(1 for _ in shots(frames, lambda frame: frame)), device) / number,
        seconds(lambda: sum(1 for _ in derain_pictures(at_rate(few, RATE), engine, False, at_once)), device) / FEW,
        seconds(lambda: encode(frames, (high, wide), folder / "copy.mp4"), device) / number,
    ]
    return [
        f"{size}, {number} frames",
        f"{1 / whole:.2f}",
        f"{whole:.4f}",
        f"{network:.4f}",
        f"{whole / network:.3f}",
        *(f"{100 * stage / whole:.1f} %" for stage in stages),
        f"{float(peak):.0f}",
    ]


def start_up(folder: Path, repeats: int = 5) -> Measured:
    """How long processes take that do next to nothing."""
    Image.new("RGB", (16, 16)).save(folder / "a.png")
    taken: dict[str, list[float]] = {name: [] for name in STARTS}
    for _ in range(repeats):
        for name, program in STARTS.items():
            command = [sys.executable, "-c", program]
            taken[name].append(
                seconds(lambda command=command: subprocess.run(command, cwd=folder, capture_output=True, check=True),
                        torch.device("cpu"))
            )  # fmt: skip
    middle = {name: median(times) for name, times in taken.items()}
    rows = [[name, f"{s:.2f}", f"{s / middle['import torch']:.2f}"] for name, s in middle.items()]
    return Measured(f"start-up, median of {repeats} processes", ["command", "s", "of import torch"], rows)


def growth(folder: Path, weights: str, device: str) -> Measured:
    """The memory that videos of several lengths take."""
    rows = []
    for length in LENGTHS:
        rainy = film(folder / f"{length}.mp4", 160, 120, length)
        program = DERAIN.replace("argv[1:]", f"argv[1:], weights={weights!r}, device={device!r}")
        command = [sys.executable, "-c", program + "print(most_resident())", str(rainy), str(folder / "out.mp4")]
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
        rows.append([str(length), f"{float(done.stdout):.0f}"])
    return Measured("memory against length, 160x120", ["frames", "peak MB"], rows)


def main() -> None:
    parser = options_parser(__doc__)
    parser.add_argument("--sizes", nargs="*", default=SIZES, metavar="WxH:FRAMES")
    parser.add_argument("--weights", default="rrgnet")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    keep_freed_memory()  # as the command does
    columns = ["size", "frames/s", "s/frame", "network alone", "ratio"]
    columns += ["decode", "cuts", "network, conversion", "encode", "peak MB"]
    tables = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        for make in (
            lambda: Measured(
                f"derain, weights {options.weights}, {options.precision}",
                columns,
                [measure(words, options, folder) for words in options.sizes],
            ),
            lambda: start_up(folder),
            lambda: growth(folder, options.weights, str(options.device)),
        ):
            tables.append(make())
            tables[-1].show()
    save_if_asked(options, *tables)


if __name__ == "__main__":
    main()
