"""What R says in the middle of a run: pure functions of a matrix whose later rows are not known yet."""

from collections.abc import Mapping

from raincheck.evaluation.matrix import Matrix
from raincheck.evaluation.transfer import summary


def newest(matrix: Matrix) -> dict[str, float]:
    """The known scores of the last row that is known, by task."""
    row = matrix.rows[matrix.tasks_learned]
    return {task: score for task, score in zip(matrix.tasks, row, strict=True) if score is not None}


def transfer_so_far(matrix: Matrix) -> dict[str, float]:
    """`average`, `bwt`, `forgetting` and `fwt` of the tasks learned so far, as far as they are defined."""
    n = matrix.tasks_learned
    if n == 0:
        return {}
    part = Matrix(matrix.tasks[:n], tuple(row[:n] for row in matrix.rows[: n + 1]), matrix.higher_is_better)
    scores = summary(part)
    return {name: scores[name] for name in ("average", "bwt", "forgetting", "fwt") if scores[name] is not None}


def scores_so_far(matrices: Mapping[str, Matrix]) -> dict[str, float]:
    """What is logged after a task, by the names it is logged by: `psnr_y/thin` and `average/psnr_y`, say."""
    named: dict[str, float] = {}
    for metric, matrix in matrices.items():
        named |= {f"{metric}/{task}": score for task, score in newest(matrix).items()}
        named |= {f"{score}/{metric}": value for score, value in transfer_so_far(matrix).items()}
    return named
