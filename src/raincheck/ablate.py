"""`raincheck ablate`: a grid of settings and seeds, run one after another, and tabulated."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from jsonargparse import Namespace
from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from raincheck.ablation_grid import Grid, read_grid
from raincheck.checkpoint import locked
from raincheck.config import parse
from raincheck.errors import ConfigError, OutputError
from raincheck.evaluation.ranking import ranking_of
from raincheck.files import write_text
from raincheck.outcome import Report
from raincheck.processes import is_first
from raincheck.report import write_report
from raincheck.report.formats import as_table, write_table
from raincheck.report.numbers import duration
from raincheck.run import run

OWN = "cell.yaml"  # beside a cell's runs: the settings that are its own


def ablate(grid: Path, out: Path, trust: bool = False) -> None:
    """Runs every cell of a grid with every seed, and writes table.csv, table.md, table.tex and report.html.

    Each run is an ordinary one in `out/<cell>/seed-<s>`: a finished run is not run again, an interrupted one goes on,
    so the same command goes on with an interrupted grid, and cells or seeds may be added to a grid later. Every cell's
    settings are checked before the first run begins.

    Args:
        grid: a YAML file; see `raincheck.ablation_grid.read_grid`.
        out: folder for all runs of the grid.
        trust: allow classes of any package in configurations.

    Raises:
        ConfigError: if the grid or a cell's settings are wrong, or differ from those a run was begun with.
        OutputError: if the folder cannot be used.
        DivergenceError: if a loss is no number any more.
    """
    content, console = read_grid(grid), Console()
    check(content, grid, trust)
    folders = {cell: [out / cell / f"seed-{seed}" for seed in content.seeds] for cell in content.cells}
    reports: list[Report] = []
    with locked(out) if is_first() else nullcontext():  # the first of several processes, which `run` starts
        if is_first():
            claim(out, grid)
        clock = Clock(console, [folder for runs in folders.values() for folder in runs])
        # Seed by seed, so that a grid that is cut short has all cells.
        for position, seed in enumerate(content.seeds):
            for cell in content.cells:
                clock.announce(folders[cell][position])
                config = configured(content, cell, out / cell, seed, trust)
                reports.append({**run(config, folders[cell][position]), "cell": cell})
        if is_first():
            conclude(reports, out, grid, console)


def check(content: Grid, grid: Path, trust: bool) -> None:
    """Looks at every cell's settings, before anything is written to the output.

    Raises:
        ConfigError: naming the cell.
    """
    with TemporaryDirectory() as scratch:
        for cell in content.cells:
            try:
                configured(content, cell, Path(scratch) / cell, content.seeds[0], trust)
            except ConfigError as error:
                reason = str(error).replace(f" in {Path(scratch) / cell / OWN}", "")
                raise ConfigError(f"{grid}, cell {cell}: {reason}") from None


def claim(out: Path, grid: Path) -> None:
    """Copies the grid file into an empty folder, or into one that holds a grid already; each run guards its own.

    Raises:
        OutputError: if the folder holds something else.
    """
    copy = out / "grid.yaml"
    if not copy.exists() and any(not entry.name.startswith(".") for entry in out.iterdir()):
        raise OutputError(f"{out} is not empty and holds no grid; choose another --out")
    write_text(copy, grid.read_text(encoding="utf-8"))


def configured(content: Grid, cell: str, folder: Path, seed: int, trust: bool) -> Namespace:
    """The configuration of one run; the cell's own settings are written to `folder`, where the parser finds them."""
    folder.mkdir(exist_ok=True)
    write_text(folder / OWN, yaml.safe_dump({"method": cell, **content.cells[cell]}, sort_keys=False))
    base = [argument for file in content.base for argument in ("--config", str(file))]
    return parse([*base, *content.options, "--config", str(folder / OWN), "--seed", str(seed)], trust)


class Clock:
    """How far the grid is, and when it will be done.

    Each run shows its own bar, so this one is printed between runs instead of staying at the bottom.

    Args:
        console: where to print.
        folders: of all runs.
    """

    def __init__(self, console: Console, folders: Sequence[Path]) -> None:
        self.console, self.runs = console, len(folders)
        self.waiting = [folder for folder in folders if not finished(folder)]
        self.announced = self.run_here = 0
        self.began = time.perf_counter()

    def announce(self, folder: Path) -> None:
        """Prints which run comes next."""
        state = f"{self.announced + 1} of {self.runs}"
        if self.run_here:
            a_run = (time.perf_counter() - self.began) / self.run_here
            state += f", {duration(a_run * len(self.waiting))} left"
        if folder in self.waiting:
            self.waiting.remove(folder)
            self.run_here += 1
        else:
            state += ", finished before"
        line = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self.runs, completed=self.announced, width=24)
        line.add_row(bar, Text(f"{folder.parent.name}, {folder.name}: {state}"))
        self.console.print(line)
        self.announced += 1


def finished(folder: Path) -> bool:
    """Whether a run's result is there."""
    return (folder / "report.json").exists()


def conclude(reports: Sequence[Report], out: Path, grid: Path, console: Console) -> None:
    """Writes and prints what was found."""
    ranked, tables = ranking_of(reports), [out / f"table{suffix}" for suffix in (".csv", ".md", ".tex")]
    for table in tables:
        write_table([ranked], table, grid.stem)
    write_report([out], out / "report.html", title=grid.stem)
    console.print(as_table(ranked, grid.stem))
    for path in (*tables, out / "report.html"):
        console.print(f"written: {path}", soft_wrap=True)
