"""The table of a sweep's trials in a terminal."""

import io
from pathlib import Path

from rich.console import Console

from raincheck.sweeping.table import as_table
from raincheck.sweeping.trials import Trial
from raincheck.sweeping.wandb_file import read_sweep

SHIPPED = Path(__file__).parents[2] / "experiments" / "sweeps" / "rrgnet.yaml"


def test_a_narrow_terminal_cuts_off_neither_runs_nor_the_names_of_parameters() -> None:
    sweep, run = read_sweep(SHIPPED), "0123456789abcdef"
    values = {parameter.name: 0.5 for parameter in sweep.parameters}
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(as_table(sweep, [Trial(0, run, {}, values, "finished", 29.19)], "rrgnet"))
    lines = [line.replace("┃", "│").split("│") for line in console.export_text().splitlines()]
    rows = [[part.strip() for part in line] for line in lines if len(line) > 2]
    columns = ["".join(column) for column in zip(*rows, strict=True)]
    names = [run, sweep.metric.name, *(parameter.name for parameter in sweep.parameters if parameter.free)]
    assert all(any(name in column for column in columns) for name in names) and len(names) == 5
