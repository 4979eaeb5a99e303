"""`raincheck report`: finished runs, compared."""

from pathlib import Path

from raincheck.commands import Parser


def run(arguments: list[str]) -> None:
    """Prints the ranking, and writes it in every format that is asked for."""
    mine = Parser("report")
    mine.add_argument(
        "runs",
        metavar="RUN",
        type=Path,
        nargs="+",
        help="folders of finished runs, folders with such in them, report.json files, or .jsonl files with one a line",
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
