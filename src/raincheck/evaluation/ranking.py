"""Methods compared over the same seeds and orders: scores with intervals, paired differences, costs beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from raincheck.evaluation.comparable import other_terms
from raincheck.evaluation.costs import COSTS
from raincheck.evaluation.results import Result
from raincheck.evaluation.rows import check, if_there, no_row, rows_of, scored_in
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
    check(results)
    if against is not None and if_there(against, given) is None:
        raise no_row(against, dict.fromkeys(result.name for result in given))
    rows = rows_of(results)
    bounds = Bounds(results)
    values = {name: values_of(runs, metric, bounds) for name, runs in rows.items()}
    higher = results[0].matrices[metric].higher_is_better
    ranked = sorted(rows, key=lambda name: _place(rows[name], values[name], higher))
    against = (if_there(against, results) or ranked[0]) if len(ranked) > 1 else None
    differences = compare(values, against) if against else {}
    keys = usual(list(rows.values()))
    notes = {name: _notes(name, rows, against, keys) for name in rows}
    for name, runs in rows.items():
        notes[name] += filter(None, (bounds.why_none(runs, learn, metric) for learn in ("joint", "individual")))
    return Ranking(
        metric,
        higher,
        against,
        "cell" if any(run.kind == "cell" for run in results) else "method",
        [_row(rows[name], values[name], differences.get(name, {}), name, notes[name]) for name in ranked],
        [column for column in COLUMNS.values() if any(_known(values[name], column.name) for name in rows)],
        len({run.seed for run in results}),
        list(dict.fromkeys(run.tasks for run in results if not run.is_bound or len(rows) == 1)),
        [*_left_out(given, metric), *_doubts(results)],
    )


def usual(rows: Sequence[Sequence[Result]]) -> set[Hashable]:
    """The seeds and orders that a row should have: those of at least half of the rows that compete.

    An order that only one cell of a grid has is that cell's meaning, and missing from no other.
    """
    competing = [{run.key for run in row} for row in rows if not row[0].is_bound]
    count = Counter(key for keys in competing for key in keys)
    return {key for key, rows_with_it in count.items() if 2 * rows_with_it >= len(competing)}


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


def _notes(name: str, rows: Mapping[str, Sequence[Result]], against: str | None, keys: set[Hashable]) -> list[str]:
    """How a row differs from the one that it is compared with, and what of it is missing."""
    runs, notes = rows[name], []
    if against and (terms := other_terms(runs[0].setting, rows[against][0].setting)):
        notes.append(f"differs from {against} in {', '.join(terms)}")
    if not runs[0].is_bound and (missing := len(keys - {run.key for run in runs})):
        some = f"{missing} of {len(keys)} seeds and orders are missing"
        notes.append(some if missing < len(keys) else "has no seed and order of the other rows")
    return notes


def _place(runs: Sequence[Result], values: Values, higher: bool) -> tuple[bool, bool, float]:
    """Where a row stands: methods before bounds, those without an average last."""
    mean = estimate(list(values[HEADLINE].values())).mean
    return (runs[0].is_bound, mean is None, 0.0 if mean is None else -mean if higher else mean)


def _left_out(results: Sequence[Result], metric: str) -> list[str]:
    """Says which runs have no score."""
    lacking = [f"{run.name} (seed {run.seed})" for run in results if metric not in run.matrices]
    return [f"left out, because their reports have no {metric}: {', '.join(lacking)}"] if lacking else []


def _known(values: Values, column: str) -> bool:
    return any(value is not None for value in values[column].values())


def _doubts(results: Sequence[Result]) -> list[str]:
    """What may make the whole comparison unfair."""
    doubts = []
    if unknown := list(dict.fromkeys(run.name for run in results if not run.setting)):
        doubts.append(f"reports do not say with which data, network and steps: {', '.join(unknown)}")
    machines = {run.machine for run in results if run.machine}
    if len(machines) > 1:
        doubts.append(f"training times are of {len(machines)} different machines")
    return doubts
