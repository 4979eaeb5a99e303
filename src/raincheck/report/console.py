"""R matrices and scores as tables for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from raincheck.errors import InputError
from raincheck.evaluation import Matrix, average, bwt, forgetting, fwt
from raincheck.evaluation.results import read_matrix
from raincheck.report import numbers


def print_matrix(report: Mapping[str, Any], console: Console, metric: str = "psnr_y") -> None:
    """Prints a run's matrix of one metric, with its average, forgetting, BWT and FWT.

    Args:
        report: what report.json holds.
        console: where to print.
        metric: name of the metric.

    Raises:
        InputError: if the report has no such metric, or its matrix is none.
    """
    if metric not in report["metrics"]:
        raise InputError(f"the report has no metric {metric!r}; it has {', '.join(report['metrics'])}")
    matrix = read_matrix("the report", metric, report["tasks"], report["metrics"][metric]["R"])
    console.print(matrix_table(str(report["method"]), matrix, metric))
    console.print(
        Text(f"average {numbers.score(average(matrix), metric)} {numbers.unit(metric)}".rstrip(), style="bold")
    )
    scores = [("forgetting", forgetting), ("BWT", bwt), ("FWT", fwt)]
    console.print(Text(", ".join(f"{name} {numbers.change(score(matrix), metric)}" for name, score in scores)))


def matrix_table(method: str, matrix: Matrix, metric: str) -> Table:
    """R as a table: rows are tasks learned, columns tasks scored, the task just learned in bold."""
    # Text, not str: rich would take a name such as "[red]" for markup.
    table = Table(title=Text(f"{method}: {metric}" + (f", {numbers.unit(metric)}" if numbers.unit(metric) else "")))
    table.add_column("learned")
    for task in matrix.tasks:
        table.add_column(Text(task), justify="right")
    names = ["before training", *(f"after {task}" for task in matrix.tasks)]
    for i, (name, row) in enumerate(zip(names, matrix.rows, strict=True)):
        cells = [Text(numbers.score(s, metric), style="bold" if i == j + 1 else "") for j, s in enumerate(row)]
        table.add_row(Text(name), *cells)
    return table
