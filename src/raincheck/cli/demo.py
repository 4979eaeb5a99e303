"""`raincheck demo`."""

from pathlib import Path

from raincheck.commands import Parser


def run(arguments: list[str]) -> None:
    """Runs the demonstration."""
    mine = Parser("demo")
    mine.add_argument(
        "--out",
        type=Path,
        default=Path("runs/demo"),
        metavar="DIR",
        help="folder for everything (default: %(default)s)",
    )
    options = mine.parse_args(arguments)
    from raincheck.demo import demo as run_demo

    run_demo(options.out)
