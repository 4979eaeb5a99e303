"""`raincheck data check`."""

from pathlib import Path

from raincheck.commands import Parser


def run(arguments: list[str]) -> int:
    """Checks, prints, and exits with 1 if something is wrong."""
    mine = Parser("data check", more="; exits with 1 for a fault, with 0 for a part that has none")
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
