"""`raincheck derain`: its options, several inputs, and pipes; torch is imported when the work begins."""

import argparse
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from raincheck.commands import Parser, add_network_options, rate, size
from raincheck.errors import ConfigError
from raincheck.notices import notices

if TYPE_CHECKING:
    from raincheck.deraining.api import Options

PIPE = "-"
EXAMPLES = """
examples:
  raincheck derain in.mp4 out.mp4                         sound, subtitles, times and colours are kept
  raincheck derain in.mp4 out.mp4 --compare wipe --start 1:30 --end 1:45
  raincheck derain *.mp4 photo.jpg results                several inputs into a folder
  raincheck derain frames/ derained/                      a folder of images is a video; an image is a picture
  ffmpeg -i in.mp4 -f rawvideo -pix_fmt rgb24 - | raincheck derain - - --size 1920x1080 | ffmpeg -f rawvideo \\
      -pix_fmt rgb24 -s 1920x1080 -r 25 -i - out.mp4
"""


def parser() -> Parser:
    """All options of the command."""
    mine = Parser("derain", examples=EXAMPLES)
    mine.add_argument(
        "input",
        metavar="INPUT",
        nargs="+",
        help="a video file, a folder of frames, an image, a glob, or - for raw frames",
    )
    mine.add_argument(
        "output",
        metavar="OUTPUT",
        type=Path,
        help="a video file, an image, a folder for one image a frame or for several inputs, or - for raw frames",
    )
    add_network_options(mine)
    mine.add_argument(
        "--compile", action="store_true", help="compile the network first, which takes time: for long videos in bf16"
    )
    mine.add_argument(
        "--tile", type=tile, default="auto", metavar="T", help="auto (default), none, or the side of tiles in pixels"
    )
    mine.add_argument("--start", metavar="T", help="first frame: seconds (12.5), a time (1:02:03.5) or frames (250f)")
    mine.add_argument("--end", metavar="T", help="the frame after the last, in the same notation")
    mine.add_argument(
        "--compare",
        choices=("side", "wipe"),
        help="show rainy and derained side by side (also: --compare alone), or on both sides of a moving line",
    )
    mine.add_argument("--no-cuts", action="store_true", help="let windows reach across cuts between shots")
    mine.add_argument("--crf", type=int, metavar="Q", help="constant quality of a video file, 0 best (default: 18)")
    mine.add_argument("--codec", metavar="C", help="FFmpeg's encoder (default: libx264; libvpx-vp9 for .webm)")
    mine.add_argument(
        "--pixel-format", metavar="P", help="FFmpeg's pixel format (default: yuv420p); yuv420p10le keeps 10 bits"
    )
    mine.add_argument("--fps", type=rate, metavar="R", help="frames per second of images and raw frames (default: 25)")
    mine.add_argument("--size", type=size, metavar="WxH", help="width and height of raw frames (rgb24) from -")
    mine.add_argument("--overwrite", action="store_true", help="allow an output folder that is not empty")
    return mine


def run(arguments: list[str]) -> None:
    """Derains with a progress bar."""
    options = parsed(arguments)
    if PIPE in options.input and (len(options.input) > 1 or options.size is None):
        raise ConfigError("raw frames from - need --size WxH, and no other input; see raincheck derain --help")
    if options.size is not None and PIPE not in options.input:
        raise ConfigError("--size is for raw frames from -; leave it out")
    settings: Options = {
        "weights": options.weights,
        "device": options.device,
        "trust": options.trust,
        "precision": options.precision,
        "compile": options.compile,
        "self_ensemble": options.self_ensemble,
        "tile": options.tile,
        "start": options.start,
        "end": options.end,
        "compare": options.compare or False,
        "cuts": not options.no_cuts,
        "fps": options.fps,
        "crf": options.crf,
        "codec": options.codec,
        "pixel_format": options.pixel_format,
        "overwrite": options.overwrite,
    }
    from raincheck.deraining.allocator import keep_freed_memory
    from raincheck.deraining.batch import derain_files, derain_one
    from raincheck.deraining.pipes import raw_input, to_pipe

    keep_freed_memory()
    with notices():
        if str(options.output) == PIPE:
            source = only(options.input)
            to_pipe(raw_input(options.size) if source == PIPE else Path(source), source, settings)
        elif PIPE in options.input:
            derain_one(raw_input(options.size), options.output, PIPE, settings)
        else:
            derain_files(options.input, options.output, settings)


def only(inputs: list[str]) -> str:
    """The one input.

    Raises:
        ConfigError: if there are several.
    """
    if len(inputs) > 1:
        raise ConfigError("several inputs cannot go to -; name a folder")
    return inputs[0]


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The options.

    Raises:
        ConfigError: if there is no such option or comparison.
    """
    mine = parser()
    options, left = mine.parse_known_args(plain_compare(arguments))
    if wrong := [word for before, word in pairwise(arguments) if before == "--compare" and word in left]:
        raise ConfigError(f"there is no comparison {wrong[0]!r}; use side or wipe behind --compare, or nothing")
    if left:
        mine.error(f"unrecognized arguments: {' '.join(left)}")
    return options


def plain_compare(arguments: list[str]) -> list[str]:
    """Lets `--compare` stand alone, also before INPUT, which argparse would take for its value."""
    words: list[str] = []
    for index, word in enumerate(arguments):
        alone = word == "--compare" and (index + 1 == len(arguments) or arguments[index + 1] not in ("side", "wipe"))
        words.append("--compare=side" if alone else word)
    return words


def tile(text: str) -> int | str:
    """A number, or a word for `derain` to judge."""
    return int(text) if text.isdecimal() else text
