"""What a grid's runs found, as tables and a page; and what of it is not known, because runs failed or are to come."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import yaml
from rich.console import Console
from rich.text import Text

from raincheck.ablation.grid import Grid
from raincheck.ablation.plan import Planned
from raincheck.config import dump
from raincheck.evaluation.comparable import task_digest
from raincheck.evaluation.failed import Failed, of_data, with_failed
from raincheck.evaluation.ranking import ranking
from raincheck.evaluation.results import printable, read_result
from raincheck.evaluation.rows import if_there, with_baseline
from raincheck.report import write_report
from raincheck.report.formats import WRITERS, write_table
from raincheck.report.outputs import headings, say_written, show
from raincheck.running.outcome import Report

TABLE = re.compile(rf"table(-\d+)?({'|'.join(map(re.escape, WRITERS))})")


def conclude(
    planned: Sequence[Planned],
    reports: Mapping[Planned, Report],
    failures: Sequence[Planned],
    out: Path,
    grid: Grid,
    console: Console,
) -> None:
    """Writes and prints what was found: a table for each set of runs that are about the same tasks and data."""
    if len(reports) + len(failures) < len(planned):
        so_far = f"{len(reports)} of {len(planned)} runs"
        console.print(f"{so_far} are finished; the same command goes on")
        grid = replace(grid, title=f"{grid.title}; {so_far} so far")
    say_what_failed(failures, console)
    if reports:
        write_tables({one: reports[one] for one in planned if one in reports}, failures, out, grid, console)


def say_what_failed(failures: Sequence[Planned], console: Console) -> None:
    """Prints which runs have failed, and why."""
    for one in failures:
        console.print(Text(f"failed: {one.name}: {one.failure}"), soft_wrap=True)
    if failures:
        console.print("what failed is not run again with the same settings, unless --retry is given")


def write_tables(
    reports: Mapping[Planned, Report], failures: Sequence[Planned], out: Path, grid: Grid, console: Console
) -> None:
    """Writes and prints the tables, and writes the page; all compare with one cell if that has a run, or the best."""
    failed = [unsuccessful(one) for one in failures]
    written: list[Path] = []
    results = [read_result(printable({**report, "cell": one.cell}), one.name) for one, report in reports.items()]
    groups = with_baseline(results, if_there(grid.against, results))
    ranked = [
        with_failed(ranking(same, against=baseline), of_data(failed, same[0].setting)) for same, baseline in groups
    ]
    for number, (of_set, heading) in enumerate(zip(ranked, headings(grid.title, len(ranked)), strict=True), 1):
        tables = [out / f"table{f'-{number}' if ranked[1:] else ''}{suffix}" for suffix in WRITERS]
        for table in tables:
            write_table([of_set], table, heading)
        written += tables
    for path in out.iterdir():
        if TABLE.fullmatch(path.name) and path not in written:
            path.unlink()  # of the grid as it was, with more or fewer sets
    show(ranked, grid.title, console)
    page = out / "report.html"
    write_report([one.folder for one in reports], page, grid.title, if_there(grid.against, results), failed)
    say_written([*written, page], console)


def unsuccessful(one: Planned) -> Failed:
    """A failed run as rankings know it."""
    tasks = yaml.safe_load(dump(one.config))["stream"]["tasks"]
    which = one.name.removeprefix(f"{one.cell}, ")
    return Failed(one.cell, f"{which} failed: {one.failure}", frozenset(map(task_digest, tasks)))
