"""What commands of the command line have in common: their descriptions, options, and mistakes of one sentence."""

import argparse
import re
from fractions import Fraction
from typing import NoReturn

from raincheck.errors import ConfigError

LARGEST = 2**28  # pixels of a raw frame: 16384x16384
# In the order of `raincheck --help`. `data check` is in cli/data_check.py, and so on.
COMMANDS = {
    "run": "learn a stream of rain types with one method: --config FILE [--config FILE ...] [--key value] --out DIR",
    "demo": "learn an embedded stream of three rains with two methods, offline, in minutes",
    "evaluate": "derain a rainy video and score it against its clean twin",
    "derain": "remove the rain from video files, folders of frames and images",
    "ablate": "run a grid of settings, orders and seeds, and tabulate it: GRID.yaml --out DIR",
    "sweep": "run a W&B sweep file without a server: SWEEP.yaml --out DIR [--launcher local|ray]",
    "report": "compare finished runs: RUN_DIR ... [--out FILE.html|.csv|.md|.tex]",
    "data": "check data sets on disk, or render one: data check ROOT, data render CLEAN --out DIR",
    "data check": "compare the data sets under ROOT with what was published",
    "data render": "lay rendered rain over clean video: a paired data set, laid out like NTURain",
    "export": "write a network as one file that runs without raincheck: --weights W --format onnx|torch --out FILE",
    "dashboard": "make a W&B workspace about runs that were tracked there",
}


class Parser(argparse.ArgumentParser):
    """An argparse parser whose complaints are errors like all others: one sentence, no usage block.

    Args:
        command: one of `COMMANDS`.
        more: what its help says behind the description.
        examples: what its help ends with, as it stands.
        add_help: whether `--help` is one of its options.
    """

    def __init__(self, command: str, more: str = "", examples: str | None = None, add_help: bool = True) -> None:
        super().__init__(
            prog=f"raincheck {command}",
            description=COMMANDS[command] + more,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter if examples else argparse.HelpFormatter,
            allow_abbrev=False,
            add_help=add_help,
        )

    def error(self, message: str) -> NoReturn:
        """Raises what argparse would print."""
        raise ConfigError(f"{message}; see {self.prog} --help")


def add_run_options(parser: Parser) -> None:
    """Adds the options of `run` that are no part of its configuration: --out, --trust and --until."""
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="the run's folder; {id} in it becomes the configuration's id; an interrupted run goes on",
    )
    parser.add_argument("--trust", action="store_true", help="allow classes of any package in the configuration")
    parser.add_argument(
        "--until", type=int, metavar="N", help="stop after N tasks; the same command without it goes on"
    )


def add_network_options(parser: Parser) -> None:
    """Adds --weights, --trust, --device, --precision and --self-ensemble."""
    parser.add_argument(
        "--weights",
        default="rrgnet",
        metavar="W",
        help="rrgnet (default), the faster rrgnet-small, identity, a weights file, a run's folder, or an exported "
        ".onnx or .pt2 file",
    )
    parser.add_argument("--trust", action="store_true", help="open .pt2 files, whose content can run code")
    parser.add_argument("--device", default="auto", metavar="D", help="auto (default), cpu, cuda, cuda:1, mps")
    parser.add_argument(
        "--precision",
        default="fp32",
        metavar="P",
        help="fp32 (default); bf16, faster on CPUs with AMX, some hundredths of a grey level off; or auto",
    )
    parser.add_argument(
        "--self-ensemble",
        action="store_true",
        help="the mean over the video and its mirror image: better, twice as long",
    )


def size(text: str) -> tuple[int, int]:
    """`640x480`: width and height."""
    if not (match := re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 640x480")
    width, height = int(match[1]), int(match[2])
    if width * height > LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is larger than a frame can be; check it")
    return width, height


def rate(text: str) -> Fraction:
    """`25`, `29.97` or `30000/1001`."""
    from raincheck.video.part import exact

    try:
        return exact(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate such as 25 or 30000/1001") from None
