"""`raincheck ablate`: a grid."""

from pathlib import Path

from raincheck.commands import Parser


def run(arguments: list[str]) -> int:
    """Runs what is not finished yet of a grid; 1 if a run of it has failed."""
    mine = Parser("ablate", more=" [--key value ...]; --key as in raincheck run, for all cells")
    mine.add_argument("grid", metavar="GRID.yaml", type=Path, help="see experiments/ablations")
    mine.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for all runs of the grid")
    mine.add_argument("--trust", action="store_true", help="allow classes of any package in the configuration")
    mine.add_argument(
        "--record",
        type=Path,
        metavar="FILE.jsonl",
        help="add every finished run as one line; a run that is in the file is not run again",
    )
    mine.add_argument("--minutes", type=float, metavar="N", help="begin no run after N minutes; 0 only writes tables")
    mine.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="do N runs at once, on a share of the cores each (default: 1)"
    )
    mine.add_argument(
        "--retry", action="store_true", help="run failed runs again: those whose loss was no longer finite"
    )
    options, rest = mine.parse_known_args(arguments)
    from raincheck.ablate import ablate as run_grid

    limits = {"minutes": options.minutes, "jobs": options.jobs}
    shared = {"record": options.record, "retry": options.retry, "options": rest}
    return int(bool(run_grid(options.grid, options.out, options.trust, **shared, **limits)))
