"""Contents of report.json files, made up: what a run of two tasks would have found."""

from collections.abc import Mapping, Sequence
from typing import Any

from raincheck.evaluation.ranking import Ranking, ranking
from raincheck.evaluation.results import read_result

Rows = list[list[float | None]]


def matrix(average: float, forgetting: float = 1.0, rise: float = 10.0) -> Rows:
    """Two tasks, each learned to `average + forgetting / 2`, of which the first is forgotten by `forgetting`."""
    first = average + forgetting / 2
    return [[first - rise, first - rise], [first, first - rise], [first - forgetting, first]]


def report(method: str, rows: Rows | None = None, **entries: Any) -> dict[str, Any]:
    """A report with psnr_y, and temporal_y of the mirrored signs; keywords replace entries."""
    rows = matrix(30.0) if rows is None else rows
    errors = [[None if score is None else 50 - score for score in row] for row in rows]
    return {
        "method": method,
        "seed": 0,
        "tasks": ["thin", "wind"],
        "metrics": {"psnr_y": {"R": rows}, "temporal_y": {"R": errors}},
        "parameters": 1000,
        "review_bytes": 0,
        "memory_bytes": 0,
        "extra_passes": 0.0,
        "train_seconds": 100.0,
        "setting": {"data.thin": "a", "data.wind": "b", "stream.steps": 600, "network.init_args.window": 5},
    } | entries


def joint(average: float, **entries: Any) -> dict[str, Any]:
    """All tasks at once: rows 0 and n only."""
    return report("joint", [[20.0, 20.0], [None, None], [average, average]], **entries)


def individual(first: float, second: float, **entries: Any) -> dict[str, Any]:
    """Experts: row 0 and the diagonal only."""
    return report("individual", [[20.0, 20.0], [first, None], [None, second]], **entries)


def ranking_of(reports: Sequence[Mapping[str, Any]], metric: str = "psnr_y", against: str | None = None) -> Ranking:
    """Ranks contents of report.json files; each may have an entry `cell`, the row that it belongs to."""
    return ranking([read_result(one, f"report {number}") for number, one in enumerate(reports, 1)], metric, against)
