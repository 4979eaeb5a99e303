"""Whether data keep up with training: decoding, rendering, the whole loader against the step it feeds, and memory.

Everything is measured on films and photographs that come with the dependencies.

- decode: windows of 5 frames of a 640x480 H.264 film with x264's usual key frames (up to 250 frames apart), one thread.
  decord decodes in a process of its own, except where the row says otherwise.
- cache: three places for decoded frames that two workers use: memory of each worker, memory that forks share (what
  raincheck uses), and a temporary file that is mapped. MB is what all processes take, shared pages counted once.
- render: a rain over ready clips, on one core.
- step: the default RRGNet with Adam on batches of 8 clips of 5x64x64, by all threads of torch, on tensors that are
  ready, and fed by a DataLoader whose workers are on the same cores. Waiting is the time until it hands over a batch.
- cores: how many prepare clips as fast as another one can start the operations of steps on a GPU, however fast that is.
- memory: of the loader's process, two workers and their decoders, over one pass.

    python benchmarks/throughput.py [--steps 60] [--repeats 3] [--samples 10000] [--save]
"""

import argparse
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from decoding import caching_rows, decoding_rows, film
from feeding import cores_row, loader_rows, memory_rows, rendering_rows, sample_rows, sources
from raincheck.datasets.held import Room
from results import Measured, options_parser, save_if_asked

PARTS = ("decode", "cache", "render", "step", "memory")


def main() -> None:
    parser = options_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each rate")
    parser.add_argument("--steps", type=int, default=60, help="training steps of each kind in each repeat")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--samples", type=int, default=10_000, help="clips over which memory is watched")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="This DataLoader will create")  # expected: more workers than cores
    with TemporaryDirectory() as folder:
        rows = [row for part in options.parts for row in measure(part, Path(folder), options)]
    title = f"Decoding, rendering and loading, {torch.get_num_threads()} threads of torch"
    table = Measured(title, ["what", "rate", "each", "memory, or ratio"], rows)
    table.show()
    save_if_asked(options, table)


def measure(part: str, folder: Path, options: argparse.Namespace) -> list[list[str]]:
    """The rows of one part."""
    print(f"{part} ...", file=sys.stderr)
    if part == "render":
        return rendering_rows(options.seconds)
    if part in ("decode", "cache"):
        path = film(folder / f"{part}.mp4")
        return decoding_rows(path, options.seconds) if part == "decode" else caching_rows(path)
    kinds = sources(folder, Room())
    if part == "memory":
        return memory_rows(kinds, options.samples)
    rows, seconds = sample_rows(kinds, options.seconds)
    steps = loader_rows(kinds["rain over photographs"], options.steps, options.repeats)
    return [*rows, *steps, cores_row(seconds, options.steps)]


if __name__ == "__main__":
    main()
