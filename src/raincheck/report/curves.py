"""Forgetting curves: how the score on each task goes as others are learned, as the geometry of an SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from raincheck.evaluation.matrix import Matrix
from raincheck.report import numbers
from raincheck.report.axes import Axis, axis
from raincheck.report.series import Series

WIDTH, HEIGHT = 360, 230  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 34  # margins
LETTER, GAP = 6.2, 6  # width of a letter, at most, and between names
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One row's scores: pieces of line without gaps; for each score a point with its text; where runs reach to."""

    label: str
    colour: int
    pieces: list[str]
    points: list[tuple[float, float, str]]
    reaches: list[tuple[float, float, float]]


@dataclass(frozen=True)
class Chart:
    """Scores on one task. `learned` is where on the x axis it is learned; names below that take turns in `rows`."""

    task: str
    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    learned: float
    rows: int


def charts(series: Sequence[Series], metric: str) -> list[Chart]:
    """One chart a task, all with the same axes; x is the number of tasks learned.

    Args:
        series: of one order of tasks.
        metric: that the scores are in.
    """
    tasks = series[0].mean.tasks
    known = [score for one in series for matrix in (one.low, one.high) for score in _known(matrix)]
    y = axis(known, HEIGHT - BOTTOM, TOP)
    x = Axis(range(len(tasks) + 1), LEFT, WIDTH - RIGHT)
    names = ["before", *tasks]
    # The names at both ends stand wholly on their neighbours' side.
    room = [rows * (x(1) - x(0)) / 1.5 - GAP for rows in (1, 2)]
    rows = 1 if all(shortened(name, room[0]) == name for name in names) else 2
    x_ticks = [(x(step), shortened(name, min(room[rows - 1], WIDTH - RIGHT))) for step, name in enumerate(names)]
    return [
        Chart(task, [_line(one, j, metric, x, y) for one in series], x_ticks, y.labels(), x(j + 1), rows)
        for j, task in enumerate(tasks)
    ]


def shortened(name: str, width: float) -> str:
    """As much of a name as has room in a drawing."""
    letters = max(2, int(width / LETTER))
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def _known(matrix: Matrix) -> list[float]:
    return [score for row in matrix.rows for score in row if score is not None]


def _line(one: Series, task: int, metric: str, x: Axis, y: Axis) -> Line:
    pieces: list[list[Point]] = [[]]
    points, reaches = [], []
    for step, row in enumerate(one.mean.rows):
        score, low, high = row[task], one.low.rows[step][task], one.high.rows[step][task]
        if score is None or low is None or high is None:
            pieces.append([])
            continue
        place = (x(step), y(score))
        pieces[-1].append(place)
        points.append((*place, _text(one, step, score, metric)))
        if one.runs > 1:
            reaches.append((x(step), y(low), y(high)))
    drawn = [" ".join(f"{px:.1f},{py:.1f}" for px, py in piece) for piece in pieces if len(piece) > 1]
    return Line(one.label, one.colour, drawn, points, reaches)


def _text(one: Series, step: int, score: float, metric: str) -> str:
    when = "before training" if step == 0 else f"after {one.mean.tasks[step - 1]}"
    mean = f", mean of {one.runs} runs" if one.runs > 1 else ""
    return f"{one.label}, {when}: {numbers.score(score, metric)} {numbers.unit(metric)}".rstrip() + mean
