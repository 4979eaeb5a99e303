"""What a grid of runs found: means over seeds, with intervals."""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from rich.table import Table
from rich.text import Text
from scipy.special import stdtrit

from raincheck.report import numbers

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: None if a run has no such value.
        half: half the width of the mean's 95 % interval; None of fewer than two runs.
    """

    mean: float | None
    half: float | None


def estimate(values: Sequence[float | None]) -> Estimate:
    """Mean and 95 % interval of Student's t: `s / sqrt(n)` times the 97.5 % quantile with n - 1 degrees of freedom."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return Estimate(None, None)
    if len(known) == 1:
        return Estimate(known[0], None)
    quantile = float(stdtrit(len(known) - 1, 0.975))
    return Estimate(fmean(known), quantile * stdev(known) / math.sqrt(len(known)))


def _score(name: str) -> Callable[[Report, str], float | None]:
    return lambda report, metric: report["metrics"][metric][name]


def _last(report: Report, metric: str) -> float | None:
    score: float | None = report["metrics"][metric]["R"][-1][-1]
    return score


COLUMNS: dict[str, Callable[[Report, str], float | None]] = {
    "average": _score("average"),
    "forgetting": _score("forgetting"),
    "BWT": _score("bwt"),
    "last task": _last,  # R[n, n]: what is left of the ability to learn
}
SIGNED = ("forgetting", "BWT")

Rows = dict[str, dict[str, Estimate]]


def estimates(reports: Mapping[str, Sequence[Report]], metric: str = "psnr_y") -> Rows:
    """By cell and column, the estimate over the cell's runs."""
    return {
        cell: {column: estimate([value(report, metric) for report in runs]) for column, value in COLUMNS.items()}
        for cell, runs in reports.items()
    }


def as_csv(rows: Rows) -> str:
    """The table for other programs: for each column the mean and half the interval's width, empty if undefined."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["cell", *(f"{column}{part}" for column in COLUMNS for part in ("", " ±"))])
    for cell, columns in rows.items():
        writer.writerow([cell, *(part for found in columns.values() for part in (found.mean, found.half))])
    return file.getvalue()


def as_markdown(rows: Rows, caption: str, metric: str = "psnr_y") -> str:
    """The table for people, under its caption."""
    lines = [
        f"{caption}\n",
        f"| cell | {' | '.join(COLUMNS)} |",
        f"|---|{'---:|' * len(COLUMNS)}",
        *(f"| {cell} | {' | '.join(texts(columns, metric))} |" for cell, columns in rows.items()),
    ]
    return "\n".join(lines) + "\n"


def as_table(rows: Rows, caption: str, metric: str = "psnr_y") -> Table:
    """The table for the terminal."""
    table = Table(title=Text(caption))
    table.add_column("cell")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for cell, columns in rows.items():
        table.add_row(Text(cell), *texts(columns, metric))
    return table


def texts(columns: Mapping[str, Estimate], metric: str) -> list[str]:
    """`28.70 ± 0.12` for each column; no interval where there is none."""
    shown = []
    for column, found in columns.items():
        mean = (numbers.change if column in SIGNED else numbers.score)(found.mean, metric)
        shown.append(mean if found.half is None else f"{mean} ± {numbers.score(found.half, metric)}")
    return shown
