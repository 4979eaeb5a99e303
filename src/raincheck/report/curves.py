"""Forgetting curves: how the score on each task goes as others are learned, as the geometry of an SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from raincheck.report import numbers
from raincheck.report.reading import Run

WIDTH, HEIGHT = 360, 230  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 34  # margins
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One method's scores: pieces of line without gaps, and a point with its text for each score."""

    label: str
    colour: int
    pieces: list[str]
    points: list[tuple[float, float, str]]


@dataclass(frozen=True)
class Chart:
    """Scores on one task. `learned` is where on the x axis the task is learned, if all runs agree."""

    task: str
    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    learned: float | None


def charts(runs: Sequence[Run], metric: str) -> list[Chart]:
    """One chart a task, all with the same axes; x is the number of tasks learned."""
    runs = [run for run in runs if metric in run.matrices]
    tasks = list(dict.fromkeys(task for run in runs for task in run.tasks))
    same_order = len({run.tasks for run in runs}) == 1
    steps = max(len(run.tasks) for run in runs)
    known = [score for run in runs for row in run.matrices[metric].rows for score in row if score is not None]
    ticks = round_ticks(min(known), max(known)) if known else [0.0, 1.0]
    digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
    y_ticks = [(_y(tick, ticks), f"{tick:.{digits}f}") for tick in ticks]
    names = ["before", *(runs[0].tasks if same_order else map(str, range(1, steps + 1)))]
    x_ticks = [(_x(step, steps), name) for step, name in enumerate(names)]
    return [
        Chart(
            task,
            [_line(run, colour, metric, task, ticks, steps) for colour, run in enumerate(runs) if task in run.tasks],
            x_ticks,
            y_ticks,
            _x(tasks.index(task) + 1, steps) if same_order else None,
        )
        for task in tasks
    ]


def round_ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers, evenly spaced, from at most `low` to at least `high`."""
    span = high - low or max(abs(high) * 0.1, 1e-3)
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= span / 4 - 1e-12)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [tick * step for tick in range(first, max(last, first + 2) + 1)]


def _line(run: Run, colour: int, metric: str, task: str, ticks: Sequence[float], steps: int) -> Line:
    column = run.tasks.index(task)
    pieces: list[list[Point]] = [[]]
    points = []
    for step, row in enumerate(run.matrices[metric].rows):
        score = row[column]
        if score is None:
            pieces.append([])
            continue
        x, y = _x(step, steps), _y(score, ticks)
        when = "before training" if step == 0 else f"after {run.tasks[step - 1]}"
        pieces[-1].append((x, y))
        points.append((x, y, f"{run.label}, {when}: {numbers.score(score, metric)} {numbers.unit(metric)}".rstrip()))
    drawn = [" ".join(f"{x:.1f},{y:.1f}" for x, y in piece) for piece in pieces if len(piece) > 1]
    return Line(run.label, colour, drawn, points)


def _x(step: float, steps: int) -> float:
    return round(LEFT + step / steps * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, ticks: Sequence[float]) -> float:
    share = (value - ticks[0]) / (ticks[-1] - ticks[0])
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)
