"""What a trial's run has left in its folder."""

import json
from pathlib import Path
from typing import Any

from raincheck.evaluation.matrix import Matrix
from raincheck.metrics import METRICS
from raincheck.tracking.progress import learned, scores_so_far


def left(folder: Path) -> tuple[dict[str, Any] | None, bool]:
    """The report of a run, and whether it is finished; None if it has not come to a border yet."""
    for name in ("report.json", "so_far.json"):
        if (folder / name).exists():
            return json.loads((folder / name).read_text(encoding="utf-8")), name == "report.json"
    return None, False


def score(report: dict[str, Any], name: str) -> tuple[float | None, int]:
    """A metric by the name that runs log it by, None if they do not; and how many tasks were learned."""
    matrices = {
        metric: Matrix.from_json(
            {"tasks": report["tasks"], "R": content["R"], "higher_is_better": METRICS[metric].higher_is_better}
        )
        for metric, content in report["metrics"].items()
    }
    return scores_so_far(matrices).get(name), max(learned(matrix) for matrix in matrices.values())
