"""Scores of continual learning: pure functions of the matrix R.

Below, R[i, j] is the score on task j after learning task i, both counted from 1; R[0, j] is before training; n is the
number of tasks. For metrics where lower is better the signs are turned, so that for every metric a positive BWT or FWT
is good, and a positive forgetting or gap is bad. A score that needs an undefined entry, or more than one task where
there is one, is None.
"""

from collections.abc import Iterable
from typing import Any

from raincheck.errors import InputError
from raincheck.evaluation.matrix import Matrix, Row, Score


def final_scores(matrix: Matrix) -> Row:
    """What a method delivers for each task: the last row R[n, j]; of experts, the diagonal R[j, j]."""
    return matrix.diagonal if matrix.of_experts else matrix.rows[-1]


def average(matrix: Matrix) -> Score:
    """Mean of the final scores, `1/n sum_j R[n, j]` (Lopez-Paz and Ranzato 2017, ACC); of experts, of the diagonal."""
    return _mean(final_scores(matrix))


def bwt(matrix: Matrix) -> Score:
    """Backward transfer: what later tasks did to a task after it was learned (Lopez-Paz and Ranzato 2017, BWT).

    `1/(n-1) sum_{j<n} R[n, j] - R[j, j]`.
    """
    last = matrix.rows[-1]
    return _mean(_gain(matrix, last[j], matrix.rows[j + 1][j]) for j in range(len(matrix.tasks) - 1))


def forgetting(matrix: Matrix) -> Score:
    """Mean loss from each task's best earlier score (Chaudhry et al. 2018, "Riemannian Walk", F_n).

    `1/(n-1) sum_{j<n} max_{1<=l<n} R[l, j] - R[n, j]`. As published, the best is over all rows but the last, those
    before task j was learned included and row 0 left out. Negative where the last score is the best.
    """
    return _mean(_forgotten(matrix, j) for j in range(len(matrix.tasks) - 1))


def fwt(matrix: Matrix) -> Score:
    """Forward transfer: what earlier tasks did for a task before it was learned (Lopez-Paz and Ranzato 2017, FWT).

    `1/(n-1) sum_{j>1} R[j-1, j] - R[0, j]`; the network before training takes the place of their random one.
    """
    return _mean(_gain(matrix, matrix.rows[j][j], matrix.rows[0][j]) for j in range(1, len(matrix.tasks)))


def gap(matrix: Matrix, reference: Matrix) -> Score:
    """How far the method's final scores stay behind a reference's, a mean over tasks: positive is behind.

    The reference is `joint` (all data at once, the usual upper bound) or `individual` (an expert per task). Tasks are
    matched by name, so that the orders may differ.

    Raises:
        InputError: if the two are about different tasks, or metrics of different sense.
    """
    _check_same(matrix, reference)
    ours = dict(zip(matrix.tasks, final_scores(matrix), strict=True))
    theirs = dict(zip(reference.tasks, final_scores(reference), strict=True))
    return _mean(_gain(matrix, theirs[task], ours[task]) for task in matrix.tasks)


def learned(matrix: Matrix) -> Score:
    """How well tasks are learned, `1/n sum_j R[j, j]`: the score on each right after it (Riemer et al. 2019, LA)."""
    return _mean(matrix.diagonal)


def lost_plasticity(matrix: Matrix, experts: Matrix) -> Score:
    """What keeping old tasks costs new ones: how far a task, just learned, stays behind an expert's score on it.

    `1/(n-1) sum_{j>1} E[j, j] - R[j, j]`, where E is of experts that learn one task each from the first weights. The
    first task is left out, at which there is nothing to keep. Negative where earlier tasks helped more than keeping
    them cost. Tasks are matched by name.

    Raises:
        InputError: if the two are about different tasks, or metrics of different sense.
    """
    _check_same(matrix, experts)
    alone = dict(zip(experts.tasks, experts.diagonal, strict=True))
    ours = list(zip(matrix.tasks, matrix.diagonal, strict=True))
    return _mean(_gain(matrix, alone[task], score) for task, score in ours[1:])


def summary(matrix: Matrix) -> dict[str, Any]:
    """What report.json holds of a metric: R as lists with null, average, bwt, forgetting, fwt."""
    return {
        "R": [list(row) for row in matrix.rows],
        "average": average(matrix),
        "bwt": bwt(matrix),
        "forgetting": forgetting(matrix),
        "fwt": fwt(matrix),
    }


def _check_same(matrix: Matrix, reference: Matrix) -> None:
    if set(matrix.tasks) != set(reference.tasks) or matrix.higher_is_better != reference.higher_is_better:
        raise InputError(
            f"scores on {', '.join(matrix.tasks)} cannot be compared with scores on {', '.join(reference.tasks)}; "
            "give runs of the same tasks and metric"
        )


def _gain(matrix: Matrix, score: Score, base: Score) -> Score:
    """How much better `score` is than `base`."""
    if score is None or base is None:
        return None
    return score - base if matrix.higher_is_better else base - score


def _forgotten(matrix: Matrix, task: int) -> Score:
    """How much better the best row of 1 to n-1 is than row n."""
    losses = [_gain(matrix, row[task], matrix.rows[-1][task]) for row in matrix.rows[1:-1]]
    known = [loss for loss in losses if loss is not None]
    return max(known) if known and len(known) == len(losses) else None


def _mean(scores: Iterable[Score]) -> Score:
    """Mean; None of nothing or where one is None."""
    listed = list(scores)
    known = [score for score in listed if score is not None]
    return sum(known) / len(known) if known and len(known) == len(listed) else None
