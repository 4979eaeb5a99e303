"""`raincheck sweep`: a W&B sweep file without a server."""

from pathlib import Path

from raincheck.commands import Parser


def run(arguments: list[str]) -> None:
    """Runs what is not finished yet of a sweep."""
    mine = Parser("sweep")
    mine.add_argument("file", metavar="SWEEP.yaml", type=Path, help="see experiments/sweeps")
    mine.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for all runs of the sweep")
    mine.add_argument(
        "--launcher", default="local", choices=("local", "ray"), help="one run at a time here (default), or a cluster"
    )
    mine.add_argument("--trust", action="store_true", help="let the file's command say --trust, or set variables")
    mine.add_argument("--retry", action="store_true", help="run failed trials again")
    options = mine.parse_args(arguments)
    from raincheck.sweeping.sweep import sweep

    sweep(options.file, options.out, options.launcher, options.trust, options.retry)
