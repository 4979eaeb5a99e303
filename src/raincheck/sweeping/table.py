"""What a sweep found: a table for the terminal and for other programs."""

import csv
import io
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from raincheck.sweeping.definition import Metric, Sweep
from raincheck.sweeping.trials import Trial


def best(trials: Sequence[Trial], metric: Metric) -> Trial | None:
    """The finished trial of the best value, the earliest of several; None if none is finished."""
    found: Trial | None = None
    for trial in trials:
        if trial.state != "finished" or trial.value is None:
            continue
        if found is None or found.value is None or metric.better(trial.value, found.value):
            found = trial
    return found


def chosen(sweep: Sweep, trial: Trial) -> str:
    """What a trial tries: the parameters that are not the same in all."""
    free = [parameter.name for parameter in sweep.parameters if parameter.free]
    return ", ".join(f"{name} {short(trial.values[name])}" for name in free)


def short(value: object) -> str:
    """Four digits of a number are enough to look at."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def as_csv(sweep: Sweep, trials: Sequence[Trial]) -> str:
    """All trials in the order of their numbers."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    names = [parameter.name for parameter in sweep.parameters]
    writer.writerow(["trial", "id", "state", sweep.metric.name, "tasks learned", "seconds", *names, "error"])
    for trial in trials:
        cells = [trial.number, trial.id, trial.state, trial.value, trial.learned, round(trial.seconds, 1)]
        writer.writerow([*cells, *(trial.values[name] for name in names), trial.error])
    return file.getvalue()


def as_table(sweep: Sweep, trials: Sequence[Trial], title: str) -> Table:
    """All trials; the best one in bold."""
    table = Table(title=Text(title))
    for heading in ("trial", "run", "state", sweep.metric.name):
        table.add_column(Text(heading), justify="right" if "/" in heading else "left", overflow="fold")
    names = [parameter.name for parameter in sweep.parameters if parameter.free]
    for name in names:
        table.add_column(Text(name), overflow="fold")
    winner = best(trials, sweep.metric)
    for trial in trials:
        state = trial.state if trial.error is None else f"{trial.state}: {trial.error}"
        if trial.state == "stopped":
            state += f" after {trial.learned}"
        value = "" if trial.value is None else f"{trial.value:.4f}"
        cells = [str(trial.number), trial.id, state, value, *(short(trial.values[name]) for name in names)]
        style = "bold" if trial is winner else ""
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table
