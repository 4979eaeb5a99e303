"""R as a table whose cells are the darker, the better."""

from collections.abc import Sequence
from dataclasses import dataclass

from raincheck.evaluation.matrix import Matrix, Score
from raincheck.report import numbers

Ranges = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Cell:
    """One score: its text, its shade from 0 (worst) to 1 (best), and whether its task was just learned, or not yet."""

    text: str
    shade: float | None
    learned: bool
    future: bool


@dataclass(frozen=True)
class Heatmap:
    """The table of one matrix: a label and cells for each row of R."""

    label: str
    tasks: tuple[str, ...]
    rows: list[tuple[str, list[Cell]]]


def ranges(matrices: Sequence[Matrix]) -> Ranges:
    """Worst and best score on each task in a metric's matrices, so that shades compare down and across, not sideways.

    Tasks differ in difficulty by more than methods do; one scale for all would show the tasks only.
    """
    scores: dict[str, list[float]] = {}
    for matrix in matrices:
        for task, column in zip(matrix.tasks, zip(*matrix.rows, strict=True), strict=True):
            scores.setdefault(task, []).extend(score for score in column if score is not None)
    ends = {task: (min(known), max(known)) for task, known in scores.items() if known}
    higher = all(matrix.higher_is_better for matrix in matrices)
    return ends if higher else {task: (high, low) for task, (low, high) in ends.items()}


def heatmap(label: str, matrix: Matrix, metric: str, scale: Ranges) -> Heatmap:
    """The table of one matrix, shaded by `scale`."""
    names = ["before training", *(f"after {task}" for task in matrix.tasks)]
    rows = []
    for i, (name, scores) in enumerate(zip(names, matrix.rows, strict=True)):
        scored = enumerate(zip(matrix.tasks, scores, strict=True))
        rows.append((name, [_cell(score, metric, scale.get(task), i, j) for j, (task, score) in scored]))
    return Heatmap(label, matrix.tasks, rows)


def _cell(score: Score, metric: str, ends: tuple[float, float] | None, row: int, task: int) -> Cell:
    shade = None
    if score is not None and ends is not None:
        worst, best = ends
        shade = abs(score - worst) / abs(best - worst) if best != worst else 0.5
    return Cell(numbers.score(score, metric), shade, learned=score is not None and row == task + 1, future=row <= task)
