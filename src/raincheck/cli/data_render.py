"""`raincheck data render`: its options; torch is imported when the work begins."""

import argparse
from pathlib import Path

from raincheck.commands import Parser, rate, size

EXAMPLES = """
examples:
  raincheck data render clips --out rainy --rain heavy --rain wind         two rains over every clip
  raincheck data render clips --out rainy --rain mine.yaml --variants 3 --size 640x480 --frames 120
  raincheck data render clips --out rainy --rain heavy --streaks pictures  pictures of real streaks, given motion
  raincheck data check rainy
"""


def parser() -> Parser:
    """All options of the command."""
    mine = Parser("data render", examples=EXAMPLES)
    mine.add_argument(
        "clean",
        metavar="CLEAN",
        type=Path,
        nargs="+",
        help="clean clips: a video file, a folder of frames, or a folder that holds such",
    )
    mine.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the set's folder; an interrupted set in it goes on"
    )
    mine.add_argument(
        "--rain",
        action="append",
        metavar="R",
        help="a preset (thin, dense, veil, wind, drizzle, light, heavy, downpour, night, sparse, drive, snow, dry, "
        "lines, flecks, strokes, drops, soft), or a YAML file of a rain's parameters; several are taken in turn "
        "(default: heavy)",
    )
    mine.add_argument("--seed", type=int, default=0, metavar="N", help="decides every drop (default: %(default)s)")
    mine.add_argument("--variants", type=int, metavar="N", help="rains over each clip (default: one of each --rain)")
    mine.add_argument(
        "--spread",
        type=float,
        default=1.0,
        metavar="S",
        help="how far they vary their type, up to 5; 0 shows the type itself (default: %(default)s)",
    )
    mine.add_argument("--test", action="append", metavar="CLIP", help="a test clip by name (default: the last fifth)")
    mine.add_argument("--frames", type=int, metavar="N", help="at most so many frames of each clip")
    mine.add_argument(
        "--size", type=size, metavar="WxH", help="scale larger clips down to cover this, and cut them to their middle"
    )
    mine.add_argument(
        "--fps", type=rate, metavar="R", help="frames per second of folders of frames (default: the rain's, 30)"
    )
    mine.add_argument("--streaks", type=Path, metavar="DIR", help="pictures of streaks that fall instead of drops")
    mine.add_argument(
        "--depth", type=Path, metavar="DIR", help="depth maps, <clip>.npy in metres: (h, w), or (t, h, w)"
    )
    mine.add_argument("--format", choices=("png", "jpg"), default="png", help="of the frames (default: %(default)s)")
    mine.add_argument(
        "--layers", action="store_true", help="write streaks and veil too, in 16 bits: with png, rainy follows exactly"
    )
    mine.add_argument("--jobs", type=jobs, metavar="N", help="processes (default: one a core)")
    return mine


def run(arguments: list[str]) -> None:
    """Renders with a progress bar."""
    options = parser().parse_args(arguments)
    from raincheck.data.rains import read_rains
    from raincheck.data.render import render_set
    from raincheck.data.request import Request
    from raincheck.progress import frame_counter

    request = Request(
        clean=options.clean,
        rains=read_rains(options.rain or ["heavy"]),
        seed=options.seed,
        variants=options.variants,
        spread=options.spread,
        frames=options.frames,
        size=None if options.size is None else (options.size[1], options.size[0]),
        fps=options.fps,
        test=options.test,
        streaks=options.streaks,
        depth=options.depth,
        suffix=f".{options.format}",
        layers=options.layers,
    )
    with frame_counter(options.out.name) as progress:
        manifest = render_set(request, options.out, options.jobs, progress)
    rainy = sum("rain" in video for video in manifest["videos"])
    print(f"{rainy} rainy videos of {len(manifest['videos']) - rainy} clean ones written to {options.out}")


def jobs(text: str) -> int:
    """A number of processes."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes; give 1 or more")
    return int(text)
