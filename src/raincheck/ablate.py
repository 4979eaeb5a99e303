"""`raincheck ablate`: a grid of settings, orders of tasks and seeds, run and tabulated."""

import json
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from raincheck.ablation.grid import read_grid
from raincheck.ablation.plan import Planned, look_for_data, plan
from raincheck.ablation.record import Record
from raincheck.ablation.runs import in_turn, side_by_side
from raincheck.ablation.tables import conclude
from raincheck.config import dump
from raincheck.errors import ConfigError
from raincheck.files import locked, refuse_others, write_text
from raincheck.processes import is_first
from raincheck.report.numbers import duration
from raincheck.running.claim import same_settings
from raincheck.running.outcome import Report


def ablate(
    grid: Path,
    out: Path,
    trust: bool = False,
    *,
    record: Path | None = None,
    minutes: float | None = None,
    jobs: int = 1,
    retry: bool = False,
    options: Sequence[str] = (),
) -> list[Planned]:
    """Runs every cell of a grid in every order and with every seed, and writes tables and report.html.

    Each run is an ordinary one in `out/<cell>/seed-<s>`, or `out/<cell>/order-<o>/seed-<s>` in a grid with orders: a
    finished run is not run again, an interrupted one goes on, so the same command goes on with an interrupted grid, and
    cells, orders or seeds may be added to a grid later. Every cell's settings are checked before the first run begins.

    A run whose loss is no longer finite has failed: tables and page say so, and the others are run. It would fail again
    with the same settings, so it is run again with these only if asked for.

    Args:
        grid: a YAML file; see `raincheck.ablation.grid.read_grid`.
        out: folder for all runs of the grid.
        trust: allow classes of any package in configurations.
        record: a file of JSON lines to which every finished run is added; what is in it counts as finished, whether
            its folder is there or not.
        minutes: no run is begun after so many; 0 only writes what is known.
        jobs: runs to do at once, each in a process of its own, with its share of the cores.
        retry: run failed runs again.
        options: command-line options of a run, for all cells, as in the grid's own `options`, whose last word they are.

    Returns:
        The runs that failed, now or before.

    Raises:
        ConfigError: if the grid or a cell's settings are wrong, or differ from those a run was begun with.
        InputError: if a run's data are not there.
        OutputError: if the folder cannot be used.
    """
    if jobs < 1:
        raise ConfigError(f"--jobs cannot be {jobs}; give 1 or more")
    content, console, known = read_grid(grid), Console(), Record(record)
    content = replace(content, options=(*content.options, *options))
    planned = plan(content, grid, out, trust)
    todo = [one for one in planned if retry or one.failure is None or one.identity in known]
    look_for_data([one for one in todo if one.identity not in known and not one.finished], grid)
    with locked(out) if is_first() else nullcontext():  # the first of several processes, which `run` starts
        if is_first():
            claim(out, grid)
            restore(planned, known)
        reports = perform(todo, Clock(console, todo, minutes, jobs), jobs, known, grid)
        failed = [one for one in planned if one.failure is not None]
        if is_first():
            conclude(planned, reports, failed, out, content, console)
    return failed


def perform(todo: Sequence[Planned], clock: "Clock", jobs: int, known: Record, grid: Path) -> dict[Planned, Report]:
    """Does the runs, and records each that comes to a result as it ends."""
    reports: dict[Planned, Report] = {}
    for one, report in in_turn(todo, clock) if jobs == 1 else side_by_side(todo, clock, jobs):
        if report is None:
            continue
        reports[one] = report
        if is_first():
            known.add(grid.stem, one, report)
    return reports


def claim(out: Path, grid: Path) -> None:
    """Copies the grid file into an empty folder, or into one that holds a grid already; each run guards its own.

    Raises:
        OutputError: if the folder holds something else.
    """
    copy = out / "grid.yaml"
    if not copy.exists():
        refuse_others(out, "grid")
    write_text(copy, grid.read_text(encoding="utf-8"))


def restore(planned: Sequence[Planned], known: Record) -> None:
    """Gives runs that a record knows a folder with configuration and report, if they have none.

    Raises:
        ConfigError: if a folder holds a run with other settings, begun before the grid was edited.
    """
    for one in planned:
        if one.identity in known and not one.finished:
            one.folder.mkdir(parents=True, exist_ok=True)
            if (one.folder / "config.yaml").exists():
                same_settings(one.folder, dump(one.config))
            else:
                write_text(one.folder / "config.yaml", dump(one.config))
            write_text(one.folder / "report.json", json.dumps(known.report(one.identity), indent=1))


class Clock:
    """How far the grid is, when it will be done, and whether there is time for another run.

    Each run shows its own bar, so this one is printed between runs instead of staying at the bottom.

    Args:
        console: where to print.
        planned: all runs.
        minutes: after which no run is begun; None for no limit.
        jobs: how many runs are done at once.
    """

    def __init__(self, console: Console, planned: Sequence[Planned], minutes: float | None, jobs: int) -> None:
        self.console, self.runs, self.minutes, self.jobs = console, len(planned), minutes, jobs
        self.waiting = {one.folder for one in planned if not one.finished}
        self.announced = self.begun_here = 0
        self.began = time.perf_counter()

    def __call__(self, one: Planned) -> bool:
        """Prints which run comes next, if there is time for it; what is finished takes none."""
        passed = time.perf_counter() - self.began
        if one.folder in self.waiting and self.minutes is not None and passed >= 60 * self.minutes:
            return False
        state = f"{self.announced + 1} of {self.runs}"
        if (ended := self.begun_here - (self.jobs - 1)) > 0:
            halves = (self.jobs - 1) / 2  # the runs beside this one are half done, more or less
            state += f", {duration(passed / (ended + halves) * (len(self.waiting) + halves))} left"
        if one.folder in self.waiting:
            self.waiting.remove(one.folder)
            self.begun_here += 1
        else:
            state += ", finished before"
        line = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self.runs, completed=self.announced, width=24)
        line.add_row(bar, Text(f"{one.name}: {state}"))
        self.console.print(line)
        self.announced += 1
        return True
