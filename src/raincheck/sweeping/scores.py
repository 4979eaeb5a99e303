"""What a trial's run has left in its folder."""

import json
from pathlib import Path
from typing import Any

from raincheck.evaluation.matrix import Matrix
from raincheck.evaluation.so_far import scores_so_far
from raincheck.metrics import METRICS
from raincheck.running.claim import kept
from raincheck.sweeping.definition import SCORES


def left(folder: Path) -> tuple[dict[str, Any] | None, bool]:
    """The report of a run, and whether it is finished; None if it has not come to a border yet.

    Raises:
        ConfigError: if it is damaged.
    """
    for name in ("report.json", "so_far.json"):
        if (folder / name).exists():
            return kept(folder / name, json.loads, "metrics"), name == "report.json"
    return None, False


def names(report: dict[str, Any], finished: bool) -> list[str]:
    """What a run has logged; of one that is not finished, also what it may log later."""
    later = [] if finished else [f"{score}/{metric}" for metric in report["metrics"] for score in SCORES]
    later += [] if finished else [f"{metric}/{task}" for metric in report["metrics"] for task in report["tasks"]]
    return list(dict.fromkeys([*scores_so_far(_matrices(report)), *later]))


def history(report: dict[str, Any], name: str) -> tuple[dict[int, float], int]:
    """A metric by its logged name, by the number of tasks after which it is known; and how many were learned."""
    matrices = _matrices(report)
    last = max(matrix.tasks_learned for matrix in matrices.values())
    found = {}
    for tasks in range(last + 1):
        known = {metric: matrix.until(tasks) for metric, matrix in matrices.items()}
        if tasks == max(matrix.tasks_learned for matrix in known.values()):
            found[tasks] = scores_so_far(known).get(name)
    return {tasks: score for tasks, score in found.items() if score is not None}, last


def _matrices(report: dict[str, Any]) -> dict[str, Matrix]:
    return {
        metric: Matrix.from_json(
            {"tasks": report["tasks"], "R": content["R"], "higher_is_better": METRICS[metric].higher_is_better}
        )
        for metric, content in report["metrics"].items()
    }
