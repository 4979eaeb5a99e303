"""What R says in the middle of a run."""

import pytest

from raincheck.evaluation.matrix import Matrix
from raincheck.evaluation.so_far import newest, transfer_so_far
from raincheck.evaluation.transfer import average, bwt, forgetting, fwt

TASKS = ("a", "b", "c")
WHOLE = Matrix(TASKS, ((1.0, 2.0, 3.0), (9.0, 2.5, 3.0), (7.0, 8.0, 3.5), (6.0, 7.0, 9.0)))


def test_in_the_middle() -> None:
    middle = Matrix(TASKS, (*WHOLE.rows[:3], (None, None, None)))
    assert WHOLE.until(2) == middle and WHOLE.until(3) == WHOLE
    assert middle.tasks_learned == 2 and newest(middle) == {"a": 7.0, "b": 8.0, "c": 3.5}
    # (7 + 8) / 2; 7 - 9; 9 - 7; 2.5 - 2
    assert transfer_so_far(middle) == {"average": 7.5, "bwt": -2.0, "forgetting": 2.0, "fwt": 0.5}


def test_at_the_end_it_is_the_report() -> None:
    scores = {"average": average(WHOLE), "bwt": bwt(WHOLE), "forgetting": forgetting(WHOLE), "fwt": fwt(WHOLE)}
    assert transfer_so_far(WHOLE) == pytest.approx(scores)


def test_before_and_after_the_first_task() -> None:
    before = Matrix.before(TASKS, (1.0, 2.0, float("nan")))
    assert before.tasks_learned == 0 and newest(before) == {"a": 1.0, "b": 2.0} and transfer_so_far(before) == {}
    assert transfer_so_far(before.after((5.0, 2.0, 3.0))) == {"average": 5.0}


def test_all_at_once() -> None:
    joint = Matrix.before(TASKS, (1.0, 2.0, 3.0)).after((4.0, 5.0, 6.0), learned=3)
    assert joint.tasks_learned == 3 and transfer_so_far(joint) == {"average": 5.0}
