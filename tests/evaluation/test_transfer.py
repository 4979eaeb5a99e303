import pytest
from hypothesis import given
from hypothesis import strategies as st

from raincheck.errors import InputError
from raincheck.evaluation import Matrix, average, bwt, forgetting, fwt, gap, summary
from raincheck.evaluation.matrix import Score
from raincheck.evaluation.transfer import learned, lost_plasticity

TASKS = ("thin", "dense", "wind")
# Column "thin": best after "dense" (31), not when learned (30).
R = ((20.0, 22.0, 24.0), (30.0, 23.0, 25.0), (31.0, 33.0, 26.5), (27.0, 32.0, 35.0))
EXPECTED = {
    "average": (27 + 32 + 35) / 3,
    "bwt": ((27 - 30) + (32 - 33)) / 2,
    "forgetting": ((31 - 27) + (33 - 32)) / 2,
    "fwt": ((23 - 22) + (26.5 - 24)) / 2,
}
SCORES = {"average": average, "bwt": bwt, "forgetting": forgetting, "fwt": fwt}
matrices = st.integers(2, 5).flatmap(
    lambda n: st.lists(st.lists(st.floats(0, 50), min_size=n, max_size=n), min_size=n + 1, max_size=n + 1)
)


def matrix(rows: list[list[float]], higher_is_better: bool = True) -> Matrix:
    return Matrix(tuple(f"task {j}" for j in range(len(rows[0]))), tuple(map(tuple, rows)), higher_is_better)


@pytest.mark.parametrize("name", EXPECTED)
def test_by_hand(name: str) -> None:
    assert SCORES[name](Matrix(TASKS, R)) == pytest.approx(EXPECTED[name])


def test_summary_is_what_report_json_holds() -> None:
    found = summary(Matrix(TASKS, R))
    assert found.pop("R") == [list(row) for row in R]
    assert found == pytest.approx(EXPECTED)


@pytest.mark.parametrize("name", ["bwt", "forgetting", "fwt"])
def test_signs_do_not_depend_on_the_metric(name: str) -> None:
    error = Matrix(TASKS, tuple(tuple(50 - score for score in row) for row in R), higher_is_better=False)
    assert SCORES[name](error) == pytest.approx(EXPECTED[name])
    assert average(error) == pytest.approx(50 - EXPECTED["average"])


def test_forgetting_is_negative_where_the_last_score_is_the_best() -> None:
    gained = Matrix(("a", "b"), ((0.0, 0.0), (10.0, 0.0), (12.0, 10.0)))
    assert forgetting(gained) == -2
    assert bwt(gained) == 2


def test_forgetting_counts_earlier_rows_but_not_the_one_before_training() -> None:
    # "b" scored 40 before it was learned, which Chaudhry's maximum includes; 99 before any training is not.
    lucky = Matrix(("a", "b", "c"), ((99.0, 99.0, 99.0), (10.0, 40.0, 0.0), (10.0, 30.0, 0.0), (10.0, 30.0, 0.0)))
    assert forgetting(lucky) == (0 + 10) / 2


def test_joint_has_an_average_only() -> None:
    joint = Matrix.before(TASKS, R[0]).after(R[3], learned=3)
    assert summary(joint) == {
        "R": [list(R[0]), [None] * 3, [None] * 3, list(R[3])],
        "average": pytest.approx(EXPECTED["average"]),
        "bwt": None,
        "forgetting": None,
        "fwt": None,
    }


def test_experts_have_the_average_of_the_diagonal() -> None:
    experts = Matrix.before(TASKS, R[0]).alone(0, 30).alone(1, 33)
    assert average(experts) is None, "one is still missing"
    experts = experts.alone(2, 36)
    assert average(experts) == 33
    assert (bwt(experts), forgetting(experts), fwt(experts)) == (None, None, None)


def test_one_task() -> None:
    one = Matrix(("a",), ((1.0,), (5.0,)))
    assert (average(one), bwt(one), forgetting(one), fwt(one)) == (5.0, None, None, None)


def test_a_run_that_is_not_over() -> None:
    begun = Matrix.before(TASKS, R[0]).after(R[1])
    assert [score(begun) for score in SCORES.values()] == [None] * 4


def test_gaps_match_tasks_by_name() -> None:
    run = Matrix(TASKS, R)
    joint = Matrix.before(TASKS[::-1], [0.0] * 3).after([36.0, 34.0, 33.0], learned=3)
    assert gap(run, joint) == pytest.approx(((36 - 35) + (34 - 32) + (33 - 27)) / 3)
    assert gap(joint, run) == pytest.approx(-3)
    experts = Matrix.before(TASKS, R[0]).alone(0, 30).alone(1, 33).alone(2, 35)
    assert gap(run, experts) == pytest.approx((3 + 1 + 0) / 3)
    assert gap(run, Matrix.before(TASKS, R[0])) is None
    with pytest.raises(InputError, match="scores on thin, dense, wind cannot be compared with scores on thin"):
        gap(run, Matrix(("thin",), ((1.0,), (2.0,))))


def test_learned_is_the_mean_of_the_diagonal() -> None:
    assert learned(Matrix(TASKS, R)) == pytest.approx((30 + 33 + 35) / 3)
    assert learned(Matrix.before(TASKS, R[0]).after(R[3], learned=3)) is None, "joint training learns no task by itself"


def test_lost_plasticity_is_what_experts_have_over_tasks_just_learned() -> None:
    """Without the first task, by name; positive is lost, for errors too."""
    experts = Matrix.before(TASKS[::-1], [0.0] * 3).alone(0, 36).alone(1, 33.5).alone(2, 99)
    assert lost_plasticity(Matrix(TASKS, R), experts) == pytest.approx(((33.5 - 33) + (36 - 35)) / 2)
    errors = Matrix(("a", "b"), ((9.0, 9.0), (2.0, 9.0), (2.0, 4.0)), higher_is_better=False)
    alone = Matrix.before(("a", "b"), [9.0, 9.0], higher_is_better=False).alone(0, 2).alone(1, 3)
    assert lost_plasticity(errors, alone) == 1
    assert lost_plasticity(Matrix(("a",), ((1.0,), (5.0,))), Matrix(("a",), ((1.0,), (5.0,)))) is None
    with pytest.raises(InputError, match="cannot be compared"):
        lost_plasticity(Matrix(TASKS, R), errors)


@given(matrices)
def test_forgetting_is_at_least_the_loss_since_learning(rows: list[list[float]]) -> None:
    scores = matrix(rows)
    found, transfer = forgetting(scores), bwt(scores)
    assert found is not None and transfer is not None and found >= -transfer - 1e-9


@given(matrices, st.data())
def test_one_hole_makes_undefined_exactly_what_needs_it(rows: list[list[float]], data: st.DataObject) -> None:
    n = len(rows[0])
    i, j = data.draw(st.integers(0, n)), data.draw(st.integers(0, n - 1))
    holed: list[list[Score]] = [list(row) for row in rows]
    holed[i][j] = None
    needs = {
        "average": i == n,
        "bwt": j < n - 1 and i in (n, j + 1),
        "forgetting": j < n - 1 and i >= 1,
        "fwt": j > 0 and i in (0, j),
    }
    scores = Matrix(matrix(rows).tasks, tuple(map(tuple, holed)))
    assert {name: score(scores) is None for name, score in SCORES.items()} == needs
