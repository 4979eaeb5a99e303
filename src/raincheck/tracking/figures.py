"""R as pictures, for trackers that can show no tables: a heat map, and a curve for every task."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from raincheck.evaluation.matrix import Matrix


def heatmap(metric: str, matrix: Matrix) -> Image.Image:
    """Rows of R from top to bottom, tasks from left to right; the darker, the better within a task.

    Tasks differ in difficulty by more than methods do, so each column has a scale of its own.
    """
    scores = np.array(matrix.rows, dtype=float)
    known = np.isfinite(scores)
    low = np.min(scores, axis=0, where=known, initial=np.inf)
    high = np.max(scores, axis=0, where=known, initial=-np.inf)
    shades = np.divide(scores - low, high - low, where=known & (high > low), out=np.where(known, 0.5, np.nan))
    figure = Figure(figsize=(1.5 + 0.9 * len(matrix.tasks), 1.2 + 0.5 * len(matrix.rows)), layout="constrained")
    axes = figure.add_subplot(title=metric)
    axes.imshow(shades if matrix.higher_is_better else 1 - shades, cmap="Blues", vmin=0, vmax=1.4, aspect="auto")
    for (row, task), score in np.ndenumerate(scores):
        if known[row, task]:
            axes.text(task, row, f"{score:.4g}", ha="center", va="center")
    rows = ["before", *(f"after {task}" for task in matrix.tasks)]
    axes.set_xticks(range(len(matrix.tasks)), matrix.tasks, parse_math=False)
    axes.set_yticks(range(len(rows)), rows, parse_math=False)
    return drawn(figure)


def curves(metric: str, matrix: Matrix) -> Image.Image:
    """The score on every task over the tasks learned: where a line falls, something is forgotten."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.add_subplot(title=metric)
    for index, task in enumerate(matrix.tasks):
        known = [(row, scores[index]) for row, scores in enumerate(matrix.rows) if scores[index] is not None]
        axes.plot(*zip(*known, strict=True) if known else ([], []), marker="o", label=f" {task}")
    axes.set_xticks(range(len(matrix.rows)), ["before", *matrix.tasks], parse_math=False)
    for text in axes.legend().get_texts():
        text.set_parse_math(False)
    return drawn(figure)


def side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures in a row."""
    whole = Image.new("RGB", (sum(p.width for p in pictures), max(p.height for p in pictures)))
    left = 0
    for picture in pictures:
        whole.paste(picture, (left, 0))
        left += picture.width
    return whole


def drawn(figure: Figure) -> Image.Image:
    """A figure as pixels."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return Image.open(file).convert("RGB")
