"""Runs of one row that learned in one order, as one: means over seeds, and how far the seeds are apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from raincheck.evaluation.matrix import Matrix, Row, Score
from raincheck.evaluation.results import Result


@dataclass(frozen=True)
class Series:
    """What is drawn as one.

    Attributes:
        label: of the row.
        colour: the row's number in its ranking, from which colour and marker follow.
        runs: how many there are.
        mean: R, its entries means over the runs.
        low: the least score of all runs, entry by entry.
        high: the greatest.
    """

    label: str
    colour: int
    runs: int
    mean: Matrix
    low: Matrix
    high: Matrix


def by_order(runs: Sequence[Result], metric: str, rows: Sequence[str]) -> dict[tuple[str, ...], list[Series]]:
    """By order of tasks, a series for each row that has runs of that order.

    Args:
        runs: that have the metric.
        metric: whose matrices are meant.
        rows: names in the order of the ranking.
    """
    orders: dict[tuple[str, ...], list[Series]] = {}
    for order in dict.fromkeys(run.tasks for run in runs):
        for colour, name in enumerate(rows):
            if same := [run.matrices[metric] for run in runs if run.name == name and run.tasks == order]:
                orders.setdefault(order, []).append(joined(name, colour, same))
    return orders


def joined(label: str, colour: int, matrices: Sequence[Matrix]) -> Series:
    """Matrices of the same tasks in the same order as one series; an entry that one does not know is unknown."""
    return Series(
        label,
        colour,
        len(matrices),
        *(_over(matrices, measure) for measure in (fmean, min, max)),
    )


def _over(matrices: Sequence[Matrix], measure: Callable[[Sequence[float]], float]) -> Matrix:
    rows = zip(*(matrix.rows for matrix in matrices), strict=True)
    return Matrix(matrices[0].tasks, tuple(_row(same, measure) for same in rows), matrices[0].higher_is_better)


def _row(rows: Sequence[Row], measure: Callable[[Sequence[float]], float]) -> Row:
    return tuple(_entry(scores, measure) for scores in zip(*rows, strict=True))


def _entry(scores: Sequence[Score], measure: Callable[[Sequence[float]], float]) -> Score:
    known = [score for score in scores if score is not None]
    return measure(known) if len(known) == len(scores) else None
