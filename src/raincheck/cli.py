"""The command line: one function a command, which imports what it needs only when it is called."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from raincheck.commands import COMMANDS, DATA, Parser, add_network_options, command, dispatch
from raincheck.errors import RaincheckError
from raincheck.processes import one_voice

LEARNING = {"run", "demo", "ablate"}  # may be several processes that are one program


@command("learn a stream of rain types with one method: --config FILE [--config FILE ...] [--key value ...] --out DIR")
def run(arguments: list[str]) -> None:
    """Learns, scores, prints R."""
    mine = Parser("run", COMMANDS["run"][0], add_help=False)
    mine.add_argument("--out", type=Path, help="the run's folder; an interrupted run in it goes on")
    mine.add_argument("--trust", action="store_true", help="allow classes of any package in the configuration")
    options, rest = mine.parse_known_args(arguments)
    from raincheck.config import parse, parser

    if {"-h", "--help"} & set(rest):
        print(mine.format_help())
        parser().print_help()
        return
    if options.out is None:
        mine.error("--out DIR is missing")
    config = parse(rest, options.trust)
    from rich.console import Console

    from raincheck.report.console import print_matrix
    from raincheck.run import run as run_one

    print_matrix(run_one(config, options.out), Console())
    print(f"written to {options.out}")


@command("learn an embedded stream of three rains with two methods, offline, in minutes")
def demo(arguments: list[str]) -> None:
    """Runs the demonstration."""
    mine = Parser("demo", COMMANDS["demo"][0])
    mine.add_argument(
        "--out", type=Path, default=Path("runs/demo"), help="folder for everything (default: %(default)s)"
    )
    options = mine.parse_args(arguments)
    from raincheck.demo import demo as run_demo

    run_demo(options.out)


@command("score a derained video against its clean twin")
def evaluate(arguments: list[str]) -> None:
    """Derains, scores, prints."""
    mine = Parser("evaluate", COMMANDS["evaluate"][0])
    mine.add_argument("rainy", metavar="RAINY", type=Path, help="a video file or a folder of frames")
    mine.add_argument("clean", metavar="CLEAN", type=Path, help="the same without rain")
    add_network_options(mine)
    mine.add_argument("--frames", type=frame_slice, default=slice(None), metavar="A:B", help="score these frames only")
    mine.add_argument("--json", type=Path, metavar="FILE", help="write the scores here as well")
    options = mine.parse_args(arguments)
    from raincheck.deraining.allocator import keep_freed_memory
    from raincheck.evaluation.pair import evaluate_pair

    keep_freed_memory()
    scores = evaluate_pair(
        options.rainy,
        options.clean,
        weights=options.weights,
        frames=options.frames,
        device=options.device,
        trust=options.trust,
        precision=options.precision,
    )
    text = json.dumps(scores, indent=1)
    if options.json:
        from raincheck.files import write_text

        write_text(options.json, text + "\n")
    print(text)


@command("remove the rain from video files, folders of frames and images")
def derain(arguments: list[str]) -> None:
    """Derains with a progress bar."""
    from raincheck.derain_command import run as run_derain

    run_derain(arguments)


@command("run a grid of settings and seeds, and tabulate it: GRID.yaml --out DIR")
def ablate(arguments: list[str]) -> None:
    """Runs what is not finished yet of a grid."""
    mine = Parser("ablate", COMMANDS["ablate"][0])
    mine.add_argument("grid", metavar="GRID.yaml", type=Path, help="see experiments/ablations")
    mine.add_argument("--out", type=Path, required=True, help="folder for all runs of the grid")
    mine.add_argument("--trust", action="store_true", help="allow classes of any package in the configuration")
    options = mine.parse_args(arguments)
    from raincheck.ablate import ablate as run_grid

    run_grid(options.grid, options.out, options.trust)


@command("compare finished runs: RUN_DIR ... [--out FILE.html|.csv|.md|.tex]")
def report(arguments: list[str]) -> None:
    """Prints the ranking, and writes it in every format that is asked for."""
    mine = Parser("report", COMMANDS["report"][0])
    mine.add_argument(
        "runs",
        metavar="RUN_DIR",
        type=Path,
        nargs="+",
        help="folders of finished runs, folders with such in them, or .jsonl files with a report.json a line",
    )
    mine.add_argument(
        "--out",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a page (.html) or the same numbers as a table (.csv, .md, .tex); may be given several times",
    )
    mine.add_argument("--metric", default="psnr_y", metavar="M", help="of the printed table; default: %(default)s")
    mine.add_argument("--against", metavar="NAME", help="the method to compare all others with; default: the best")
    mine.add_argument("--title", default="Learning rain after rain", help="heading of the page; default: %(default)s")
    options = mine.parse_args(arguments)
    from raincheck.report.outputs import report as make_report

    make_report(options.runs, options.out, options.metric, options.against, options.title)


@command("check data sets on disk, or render one: data check ROOT, data render CLEAN --out DIR")
def data(arguments: list[str]) -> int:
    """Calls one of the commands about data."""
    return dispatch(arguments, DATA, "raincheck data")


@command("compare the data sets under ROOT with what was published", DATA)
def check(arguments: list[str]) -> int:
    """Checks, prints, and exits with 1 if something is wrong."""
    mine = Parser("data check", DATA["check"][0] + "; exits with 1 for a fault, with 0 for a part that has none")
    mine.add_argument("root", metavar="ROOT", type=Path, help="a data set's folder, or one up to two folders above")
    mine.add_argument("--deep", action="store_true", help="decode every frame, instead of reading headers")
    options = mine.parse_args(arguments)
    from rich.console import Console

    from raincheck.data.check import check_data, print_check
    from raincheck.progress import frame_counter

    with frame_counter(options.root.name) as progress:
        reports = check_data(options.root, options.deep, lambda done: progress(done, None))
    print_check(reports, Console())
    return int(any(report.faulty for report in reports))


@command("lay rendered rain over clean video: a paired data set, laid out like NTURain", DATA)
def render(arguments: list[str]) -> None:
    """Renders with a progress bar."""
    from raincheck.render_command import run as run_render

    run_render(arguments)


@command("write a network as one file that runs without raincheck: --weights W --format onnx|torch --out FILE")
def export(arguments: list[str]) -> None:
    """Exports, and says how exactly."""
    mine = Parser("export", COMMANDS["export"][0])
    mine.add_argument(
        "--weights", default="rrgnet", metavar="W", help="rrgnet (default), a weights file, or a run's folder"
    )
    mine.add_argument("--format", default="onnx", metavar="F", help="onnx (default) or torch (torch.export)")
    mine.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a .onnx or .pt2 file; replaced if it exists"
    )
    options = mine.parse_args(arguments)
    from raincheck.export import export as export_network

    difference = export_network(options.weights, options.out, options.format)
    print(f"written to {options.out}; differs from the network by {difference:.1e} at most")


@command("make a W&B workspace about runs that were tracked there")
def dashboard(arguments: list[str]) -> None:
    """Sends the workspace, or saves what it would be."""
    mine = Parser("dashboard", COMMANDS["dashboard"][0])
    mine.add_argument("runs", metavar="RUN_DIR", type=Path, nargs="+", help="folders of runs with --tracking wandb")
    mine.add_argument("--project", default=os.environ.get("WANDB_PROJECT", "raincheck"), help="default: %(default)s")
    mine.add_argument("--entity", default=os.environ.get("WANDB_ENTITY"), help="default: your own")
    mine.add_argument("--save", type=Path, metavar="FILE", help="write it as JSON; needs no account and no network")
    options = mine.parse_args(arguments)
    from raincheck.dashboard import dashboard as make_dashboard

    place = make_dashboard(options.runs, project=options.project, entity=options.entity, save=options.save)
    print(f"written to {place}")


def frame_slice(text: str) -> slice:
    """`A:B` or `A:B:STEP`, as in Python."""
    parts = text.split(":")
    if not 2 <= len(parts) <= 3:
        raise argparse.ArgumentTypeError(f"{text!r} is no slice such as 10:20")
    try:
        return slice(*(int(part) if part else None for part in parts))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no slice such as 10:20") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0 on success, 1 if `data check` finds a fault, 2 for a mistake of the user's, 130 after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:  # the process is ours
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what is half-written is removed
    try:
        with one_voice() if {*arguments[:1]} & LEARNING else nullcontext():
            code = dispatch(arguments, COMMANDS, "raincheck")
        sys.stdout.flush()  # here, where a closed pipe can still be caught
    except RaincheckError as error:
        print(f"raincheck: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("raincheck: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
