"""`raincheck report`: finished runs compared, in the terminal and in files."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from raincheck.errors import ConfigError
from raincheck.evaluation.ranking import Ranking, ranking
from raincheck.evaluation.results import in_order
from raincheck.evaluation.rows import with_baseline
from raincheck.report.formats import WRITERS, as_table, write_table
from raincheck.report.page import write_report
from raincheck.report.reading import read_runs
from raincheck.report.runs import Run
from raincheck.targets import check_target

PAGE = ".html"


def report(paths: Sequence[Path], out: Sequence[Path], metric: str, against: str | None, title: str) -> None:
    """Prints the ranking in one metric, and writes pages and tables of all metrics.

    Args:
        paths: of runs; see `raincheck.report.reading.read_runs`.
        out: files to write, each in the format that its suffix names.
        metric: of the printed table.
        against: the row to compare with; by default the best of the methods.
        title: heading of the pages.

    Raises:
        InputError: if there is no run, one is not valid, or there is no row `against`.
        ConfigError: if a suffix is none of those known.
        OutputError: if a file cannot be written, or is an input or one of its own.
    """
    for path in out:
        if path.suffix not in (PAGE, *WRITERS):
            raise ConfigError(f"{path} is neither a page nor a table; end it with {', '.join((PAGE, *WRITERS))}")
        check_target(path, paths)
    runs, console = read_runs(paths), Console()
    groups = with_baseline(runs, against)
    printed = [ranking(group, metric, baseline) for group, baseline in groups]
    for path in out:
        if path.suffix == PAGE:
            write_report(paths, path, title, against)
        else:
            write_table([ranked for group, baseline in groups for ranked in all_metrics(group, baseline)], path, title)
    show(printed, "", console)
    without = [str(number) for number, (_, baseline) in enumerate(groups, 1) if baseline != against]
    if without:
        note = f"note: {against} is not in set {', '.join(without)}, which is compared with its best method"
        console.print(note, markup=False)
    say_written(out, console)


def all_metrics(runs: Sequence[Run], against: str | None) -> list[Ranking]:
    """A ranking for each metric."""
    return [ranking(runs, metric, against) for metric in in_order(name for run in runs for name in run.matrices)]


def headings(title: str, sets: int) -> list[str]:
    """What the tables of sets that cannot be compared are called; of one set, its title."""
    if sets == 1:
        return [title]
    return ["; ".join(filter(None, (title, f"set {number} of {sets}"))) for number in range(1, sets + 1)]


def show(rankings: Sequence[Ranking], title: str, console: Console) -> None:
    """Prints a table for each set of runs that can be compared."""
    for ranked, heading in zip(rankings, headings(title, len(rankings)), strict=True):
        console.print(as_table(ranked, heading))
    if len(rankings) > 1:
        console.print(f"note: the {len(rankings)} sets cannot be compared, because their tasks or data differ")


def say_written(paths: Sequence[Path], console: Console) -> None:
    """Prints which files there are now."""
    for path in paths:
        console.print(f"written: {path}", soft_wrap=True, markup=False)
