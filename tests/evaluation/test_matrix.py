import json
import math

import pytest

from raincheck.errors import InputError
from raincheck.evaluation import Matrix


def test_task_after_task() -> None:
    matrix = Matrix.before(["thin", "wind"], [20, 21.0])
    assert matrix.rows == ((20.0, 21.0), (None, None), (None, None))
    matrix = matrix.after([30.0, 22.0])
    assert matrix.rows == ((20.0, 21.0), (30.0, 22.0), (None, None))
    matrix = matrix.after([28.0, 31.0])
    assert matrix.rows == ((20.0, 21.0), (30.0, 22.0), (28.0, 31.0))
    with pytest.raises(ValueError, match="no row after 3 of 2 tasks"):
        matrix.after([1.0, 2.0])


def test_all_tasks_at_once() -> None:
    matrix = Matrix.before(["a", "b", "c"], [1.0, 2.0, 3.0]).after([4.0, 5.0, 6.0], learned=3)
    assert matrix.rows == ((1.0, 2.0, 3.0), (None,) * 3, (None,) * 3, (4.0, 5.0, 6.0))


def test_experts() -> None:
    matrix = Matrix.before(["a", "b"], [1.0, 2.0]).alone(1, 9.0).alone(0, 8.0)
    assert matrix.rows == ((1.0, 2.0), (8.0, None), (None, 9.0))
    with pytest.raises(ValueError, match="no row after 3"):
        matrix.alone(2, 1.0)


def test_json_there_and_back() -> None:
    matrix = Matrix.before(["a", "b"], [0.1 + 0.2, math.nan], higher_is_better=False).after([None, 1 / 3])
    text = json.dumps(matrix.to_json(), allow_nan=False)
    assert json.loads(text)["R"] == [[0.1 + 0.2, None], [None, 1 / 3], [None, None]]
    assert Matrix.from_json(json.loads(text)) == matrix


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"R": [[1.0], [2.0]]}, "'tasks'"),
        ({"tasks": ["a"], "R": [[1.0]]}, "1 tasks need 2 rows of 1 scores"),
        ({"tasks": ["a"], "R": [[1.0], [2.0, 3.0]]}, "not rows of [1, 2]"),
        ({"tasks": ["a", "a"], "R": [[1.0, 1.0]] * 3}, "each named once"),
        ({"tasks": [], "R": [[]]}, "must be one or more"),
        ({"tasks": ["a"], "R": [[1.0], ["2"]]}, "not all numbers"),
        ({"tasks": ["a"], "R": [[1.0], [True]]}, "not all numbers"),
        ({"tasks": ["a"], "R": [[1.0], [math.inf]]}, "not finite"),
        ({"tasks": ["a"], "R": [[1.0], [1e308]]}, "not finite, or 1e+12 or more"),
        ({"tasks": ["a"], "R": [[1.0], [10**400]]}, "too large"),
        ({"tasks": [1], "R": [[1.0], [1.0]]}, "must be texts"),
        ({"tasks": ["a"], "R": 3}, "not iterable"),
        ({"tasks": ["a"], "R": [[1.0], [{}]]}, "real number"),
    ],
)
def test_what_is_no_matrix_is_refused(content: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        Matrix.from_json(content)
    assert reason in str(caught.value)
