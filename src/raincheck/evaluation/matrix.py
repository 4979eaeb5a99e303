"""The matrix R of continual learning: the score on every task before training and after each task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from raincheck.errors import InputError

Score = float | None
LARGEST = 1e12  # score: of those of every metric, differences and squares are numbers too
Row = tuple[Score, ...]


@dataclass(frozen=True)
class Matrix:
    """Scores of one metric: `rows[i][j]` on task `j + 1` after learning task `i`; row 0 is before any training.

    None stands for what is undefined or not yet known, NaN becomes None (the temporal error of one-frame videos). A
    method that learns all tasks at once has rows 0 and n only; experts for single tasks have row 0 and the diagonal.

    Attributes:
        tasks: names in learning order, n of them.
        rows: n + 1 rows of n scores.
        higher_is_better: False for errors.

    Raises:
        ValueError: if the sizes do not fit, a name is there twice, or a score is infinite or absurdly large.
    """

    tasks: tuple[str, ...]
    rows: tuple[Row, ...]
    higher_is_better: bool = True

    def __post_init__(self) -> None:
        n = len(self.tasks)
        if n == 0 or len(set(self.tasks)) < n:
            raise ValueError(f"the tasks {list(self.tasks)} must be one or more, each named once")
        if len(self.rows) != n + 1 or any(len(row) != n for row in self.rows):
            lengths = [len(row) for row in self.rows]
            raise ValueError(f"{n} tasks need {n + 1} rows of {n} scores, not rows of {lengths}")
        if any(score is not None and not abs(score) < LARGEST for row in self.rows for score in row):
            raise ValueError(f"a score is not finite, or {LARGEST:g} or more")

    @classmethod
    def before(cls, tasks: Sequence[str], row: Sequence[Score], higher_is_better: bool = True) -> Matrix:
        """The matrix with row 0 only: the scores of the untrained network on all tasks."""
        unknown: Row = (None,) * len(tasks)
        return cls(tuple(tasks), (_row(row), *[unknown] * len(tasks)), higher_is_better)

    @property
    def tasks_learned(self) -> int:
        """How many tasks have been learned: the index of the last row that is known."""
        return max((i for i, row in enumerate(self.rows) if set(row) != {None}), default=0)

    @property
    def diagonal(self) -> Row:
        """The score on each task right after learning it."""
        return tuple(self.rows[j + 1][j] for j in range(len(self.tasks)))

    @property
    def of_experts(self) -> bool:
        """Whether nothing but the diagonal is known below row 0."""
        return all(score is None for i, row in enumerate(self.rows[1:]) for j, score in enumerate(row) if i != j)

    def until(self, tasks: int) -> Matrix:
        """What was known when only the first `tasks` had been learned."""
        unknown: Row = (None,) * len(self.tasks)
        return replace(self, rows=tuple(row if i <= tasks else unknown for i, row in enumerate(self.rows)))

    def after(self, row: Sequence[Score], learned: int | None = None) -> Matrix:
        """The matrix with the scores on all tasks after learning one more.

        Args:
            row: n scores.
            learned: how many tasks have been learned; by default one more than the last known row, which is right
                for methods that learn task after task. Give n for a method that learns all at once.

        Raises:
            ValueError: if all rows are known, or `learned` is not in 1 to n.
        """
        return self._with(self.tasks_learned + 1 if learned is None else learned, _row(row))

    def alone(self, task: int, score: Score) -> Matrix:
        """The matrix with one diagonal entry: an expert's score on its own task, counted from 0.

        Raises:
            ValueError: if there is no such task.
        """
        own = [score if j == task else None for j in range(len(self.tasks))]
        return self._with(task + 1, _row(own))

    def to_json(self) -> dict[str, Any]:
        """Lists, numbers and nulls, for JSON files and checkpoints; `from_json` reads them back."""
        return {
            "tasks": list(self.tasks),
            "R": [list(row) for row in self.rows],
            "higher_is_better": self.higher_is_better,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Matrix:
        """Reads what `to_json` wrote.

        Raises:
            InputError: if something is missing or does not fit; the sentence names no file, which the caller knows.
        """
        try:
            tasks, rows, higher = content["tasks"], content["R"], content.get("higher_is_better", True)
            if not all(isinstance(task, str) for task in tasks) or not isinstance(higher, bool):
                raise TypeError("task names must be texts, higher_is_better true or false")
            return cls(tuple(tasks), tuple(_row(row) for row in rows), higher)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise InputError(f"not a matrix of scores: {error}; let raincheck write it again") from None

    def _with(self, index: int, row: Row) -> Matrix:
        if not 1 <= index <= len(self.tasks):
            raise ValueError(f"there is no row after {index} of {len(self.tasks)} tasks")
        return replace(self, rows=(*self.rows[:index], row, *self.rows[index + 1 :]))


def _row(scores: Sequence[Score]) -> Row:
    """Scores as floats, NaN as None.

    Raises:
        TypeError: if one is not a number.
    """
    if any(isinstance(score, bool | str) for score in scores):
        raise TypeError(f"the scores {list(scores)} are not all numbers")
    return tuple(None if score is None or math.isnan(score) else float(score) for score in scores)
