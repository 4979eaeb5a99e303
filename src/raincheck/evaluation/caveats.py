"""What a reader of a ranking must know before comparing: what is missing, and what differs besides the method."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from raincheck.evaluation.comparable import other_terms
from raincheck.evaluation.results import Result
from raincheck.evaluation.rows import scored_in
from raincheck.evaluation.scores import Bounds
from raincheck.metrics import METRICS


def about_rows(
    rows: Mapping[str, Sequence[Result]], against: str | None, bounds: Bounds, metric: str
) -> dict[str, list[str]]:
    """By row, how it differs from the one that it is compared with, and what of it is missing.

    Args:
        rows: runs by row.
        against: the row that all others are compared with, if there are others.
        bounds: to which rows may have gaps.
        metric: of the scores.
    """
    keys = usual(list(rows.values()))
    return {
        name: [
            *_other_terms(runs, rows, against),
            *_missing(runs, keys),
            *filter(None, (bounds.why_none(runs, learn, metric) for learn in ("joint", "individual"))),
        ]
        for name, runs in rows.items()
    }


def about_all(results: Sequence[Result], metric: str) -> list[str]:
    """What is left out for want of the metric, and what may make the whole comparison unfair.

    Raises:
        InputError: if no run has the metric.
    """
    scored, notes = scored_in(results, metric), []
    if metric not in METRICS:
        notes.append(
            f"{metric} is not a metric of this raincheck: higher counts as better; restore its file if lower is"
        )
    if lacking := [f"{run.name} (seed {run.seed})" for run in results if metric not in run.matrices]:
        notes.append(f"left out, because their reports have no {metric}: {', '.join(lacking)}")
    if unknown := list(dict.fromkeys(run.name for run in scored if not run.setting)):
        notes.append(f"reports do not say with which data, network and steps: {', '.join(unknown)}")
    machines = {run.machine for run in scored if run.machine}
    if len(machines) > 1:
        notes.append(f"training times are of {len(machines)} different machines")
    return notes


def usual(rows: Sequence[Sequence[Result]]) -> set[Hashable]:
    """The seeds and orders that a row should have: those of at least half of the rows that compete.

    An order that only one cell of a grid has is that cell's meaning, and missing from no other.
    """
    competing = [{run.key for run in row} for row in rows if not row[0].is_bound]
    count = Counter(key for keys in competing for key in keys)
    return {key for key, rows_with_it in count.items() if 2 * rows_with_it >= len(competing)}


def _other_terms(runs: Sequence[Result], rows: Mapping[str, Sequence[Result]], against: str | None) -> list[str]:
    if against and (terms := other_terms(runs[0].setting, rows[against][0].setting)):
        return [f"differs from {against} in {', '.join(terms)}"]
    return []


def _missing(runs: Sequence[Result], keys: set[Hashable]) -> list[str]:
    if runs[0].is_bound or not (missing := len(keys - {run.key for run in runs})):
        return []
    some = f"{missing} of {len(keys)} seeds and orders are missing"
    return [some if missing < len(keys) else "has no seed and order of the other rows"]
