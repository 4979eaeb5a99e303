"""Methods compared over the same seeds and orders: scores with intervals, paired differences, costs beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from raincheck.evaluation.caveats import about_all, about_rows
from raincheck.evaluation.costs import COSTS
from raincheck.evaluation.results import Result
from raincheck.evaluation.rows import check_baseline, check_comparable, if_there, rows_of, scored_in
from raincheck.evaluation.scores import COLUMNS, HEADLINE, Bounds, Column, Values, values_of
from raincheck.evaluation.statistics import Difference, Estimate, corrected, estimate, paired


@dataclass(frozen=True)
class Row:
    """A method's or cell's part of a ranking.

    Attributes:
        name: of the method or cell.
        is_bound: whether methods are measured by it, instead of competing with it.
        runs: how many there are.
        scores: by column, over the runs.
        differences: by column, from the row that all are compared with; empty for that row.
        costs: by name, over the runs.
        notes: what a reader must know before comparing.
    """

    name: str
    is_bound: bool
    runs: int
    scores: Mapping[str, Estimate]
    differences: Mapping[str, Difference]
    costs: Mapping[str, Estimate]
    notes: Sequence[str]


@dataclass(frozen=True)
class Ranking:
    """Rows in the order of their averages, the best first, bounds after methods.

    Attributes:
        metric: what the scores are in.
        higher_is_better: of the metric.
        against: name of the row that all others are compared with; None where there is only one.
        kind: of the rows: `method`, or `cell` of a grid.
        rows: the ranking.
        columns: those that any row has a value in.
        seeds: how many there are.
        orders: of tasks, in which they were learned.
        notes: what is true of the whole.
    """

    metric: str
    higher_is_better: bool
    against: str | None
    kind: str
    rows: Sequence[Row]
    columns: Sequence[Column]
    seeds: int
    orders: Sequence[tuple[str, ...]]
    notes: Sequence[str]

    def row(self, name: str) -> Row:
        """The row of that name."""
        return next(row for row in self.rows if row.name == name)

    def better(self, column: Column, difference: float) -> bool:
        """Whether a difference in a column is one for the better."""
        return (difference > 0) == (column.sense == "higher" or (column.sense == "metric" and self.higher_is_better))


def ranking(results: Sequence[Result], metric: str = "psnr_y", against: str | None = None) -> Ranking:
    """Ranks runs by the mean of their averages, and compares all rows with one, over the same seeds and orders.

    Args:
        results: of one or more rows, each with one run a seed and order; those without the metric are left out, which
            a note says.
        metric: name of the metric.
        against: the row to compare with; by default, and where it has no such metric, the best of the methods.

    Raises:
        InputError: if no run has such a metric, the runs were scored on different data, a row has two runs of one seed
            and order, or runs with other settings than its first, or there is no row `against`.
    """
    given, results = results, scored_in(results, metric)
    check_comparable(results)
    check_baseline(against, given)
    rows = rows_of(results)
    bounds = Bounds(results)
    values = {name: values_of(runs, metric, bounds) for name, runs in rows.items()}
    higher = results[0].matrices[metric].higher_is_better
    ranked = sorted(rows, key=lambda name: _place(rows[name], values[name], higher))
    against = (if_there(against, results) or ranked[0]) if len(ranked) > 1 else None
    differences = compare(values, against) if against else {}
    notes = about_rows(rows, against, bounds, metric)
    return Ranking(
        metric,
        higher,
        against,
        "cell" if any(run.kind == "cell" for run in results) else "method",
        [_row(rows[name], values[name], differences.get(name, {}), name, notes[name]) for name in ranked],
        [column for column in COLUMNS.values() if any(_known(values[name], column.name) for name in rows)],
        len({run.seed for run in results}),
        list(dict.fromkeys(run.tasks for run in results if not run.is_bound or len(rows) == 1)),
        about_all(given, metric),
    )


def compare(values: Mapping[str, Values], against: str) -> dict[str, dict[str, Difference]]:
    """By row and column, the paired difference from one row's; Holm's correction is over the rows of a column."""
    others = [name for name in values if name != against]
    found: dict[str, dict[str, Difference]] = {name: {} for name in others}
    for column in COLUMNS:
        differences = corrected([paired(values[name][column], values[against][column]) for name in others])
        for name, difference in zip(others, differences, strict=True):
            found[name][column] = difference
    return found


def _row(
    runs: Sequence[Result], values: Values, differences: Mapping[str, Difference], name: str, notes: Sequence[str]
) -> Row:
    return Row(
        name,
        runs[0].is_bound,
        len(runs),
        {column: estimate(list(found.values())) for column, found in values.items()},
        differences,
        {cost: estimate([run.costs[cost] for run in runs]) for cost in COSTS},
        notes,
    )


def _place(runs: Sequence[Result], values: Values, higher: bool) -> tuple[bool, bool, float]:
    """Where a row stands: methods before bounds, those without an average last."""
    mean = estimate(list(values[HEADLINE].values())).mean
    return (runs[0].is_bound, mean is None, 0.0 if mean is None else -mean if higher else mean)


def _known(values: Values, column: str) -> bool:
    return any(value is not None for value in values[column].values())
