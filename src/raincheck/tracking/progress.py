"""What R says in the middle of a run: pure functions of a matrix whose later rows are not known yet."""

from collections.abc import Mapping
from dataclasses import replace

from raincheck.evaluation.matrix import Matrix
from raincheck.evaluation.transfer import summary


def learned(matrix: Matrix) -> int:
    """How many tasks have been learned: the index of the last row that is known."""
    return max((i for i, row in enumerate(matrix.rows) if set(row) != {None}), default=0)


def until(matrix: Matrix, tasks: int) -> Matrix:
    """What was known when only the first `tasks` had been learned."""
    later: tuple[float | None, ...] = (None,) * len(matrix.tasks)
    rows = tuple(row if i <= tasks else later for i, row in enumerate(matrix.rows))
    return replace(matrix, rows=rows)


def newest(matrix: Matrix) -> dict[str, float]:
    """The known scores of the last row that is known, by task."""
    row = matrix.rows[learned(matrix)]
    return {task: score for task, score in zip(matrix.tasks, row, strict=True) if score is not None}


def transfer_so_far(matrix: Matrix) -> dict[str, float]:
    """`average`, `bwt`, `forgetting` and `fwt` of the tasks learned so far, as far as they are defined."""
    n = learned(matrix)
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
