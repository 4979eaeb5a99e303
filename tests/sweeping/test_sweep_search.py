"""Which trial comes next: a pure function of what is known; and which is hopeless."""

from typing import Any

import pytest
from scipy import stats

from raincheck.sweeping.definition import Metric, Stopping, Sweep
from raincheck.sweeping.search import hopeless, imputed, propose
from raincheck.sweeping.space import Point, read_parameters, values
from raincheck.sweeping.trials import Trial

PARAMETERS: dict[str, Any] = {
    "x": {"min": 0.0, "max": 10.0},
    "y": {"distribution": "log_uniform_values", "min": 0.01, "max": 100.0},
    "k": {"values": ["a", "b"]},
    "fixed": {"value": 7},
}


def make(method: str, parameters: dict[str, Any] = PARAMETERS, trials: int = 12, **changes: Any) -> Sweep:
    read = read_parameters(parameters, method)
    given = {"metric": Metric(), "stopping": None, "command": (), "program": "", "decisive": {}, **changes}
    return Sweep(method, parameters=read, trials=trials, **given)


def score(found: dict[str, Any]) -> float:
    """Best at x = 3, k = b; y has no influence."""
    return -((found["x"] - 3) ** 2) - (found.get("k") == "a")


def conduct(sweep: Sweep) -> list[Trial]:
    trials: list[Trial] = []
    while (point := propose(sweep, trials)) is not None:
        found = values(sweep.parameters, point)
        trials.append(Trial(len(trials), str(len(trials)), point, found, "finished", score(found)))
    return trials


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_proposals_follow_from_what_is_known(method: str) -> None:
    sweep = make(method, trials=6)
    trials = conduct(sweep)
    assert len(trials) == 6
    for known in (0, 3, 5):
        assert propose(sweep, trials[:known]) == trials[known].point
    assert len({tuple(trial.values.values()) for trial in trials}) == 6
    assert all(trial.values["fixed"] == 7 for trial in trials)


def test_random_is_random() -> None:
    sweep = make("random", trials=200)
    found = [values(sweep.parameters, point) for point in points(sweep)]
    assert stats.kstest([one["x"] for one in found], stats.uniform(0, 10).cdf).pvalue > 0.05
    assert stats.kstest([one["y"] for one in found], stats.loguniform(0.01, 100).cdf).pvalue > 0.05
    assert 80 < sum(one["k"] == "a" for one in found) < 120


def points(sweep: Sweep) -> list[Point]:
    """What a search proposes that is told nothing."""
    trials: list[Trial] = []
    while (point := propose(sweep, trials)) is not None:
        trials.append(Trial(len(trials), "", point, {}))
    return [trial.point for trial in trials]


def test_bayes_learns() -> None:
    guided, blind = (conduct(make(method, {"x": PARAMETERS["x"]}, 8)) for method in ("bayes", "random"))
    assert max(score(trial.values) for trial in guided) > -0.05 > max(score(trial.values) for trial in blind)


def test_a_grid_is_all_there_is() -> None:
    sweep = make("grid", {"x": {"values": [1, 2, 3]}, "k": {"values": ["a", "b"]}}, trials=5)
    found = [values(sweep.parameters, point) for point in points(sweep)]
    expected = [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2)]
    assert [(one["k"], one["x"]) for one in found] == expected


def test_what_failed_or_was_stopped_counts_as_the_worst() -> None:
    trials = [
        Trial(0, "a", {}, {}, "finished", 5.0),
        Trial(1, "b", {}, {}, "stopped", 9.0),
        Trial(2, "c", {}, {}, "failed"),
        Trial(3, "d", {}, {}, "finished", 3.0),
        Trial(4, "e", {}, {}, "running"),
    ]
    for metric, worst in ((Metric(), 3.0), (Metric(maximize=False), 5.0)):
        found = imputed(trials, metric)
        assert [trial.value for trial in found] == [5.0, worst, worst, 3.0, None]
        assert [trial.state for trial in found] == [*["finished"] * 4, "running"]
    assert imputed(trials[1:3], Metric()) == trials[1:3]


@pytest.mark.parametrize(("maximize", "sign"), [(True, 1.0), (False, -1.0)])
def test_of_three_that_come_to_a_border_one_goes_on(maximize: bool, sign: float) -> None:
    """Asynchronous successive halving (Li et al. 2020): a trial goes on while it is in the best third so far."""
    sweep = make("random", stopping=Stopping(1, 3), metric=Metric("psnr_y/a", maximize))
    trials: list[Trial] = []
    stopped = []
    for score in (5.0, 4.0, 6.0, 5.5, 7.0, 6.5, 6.2):
        point = propose(sweep, trials)
        assert point is not None
        trials.append(Trial(len(trials), "", point, {}, learned=1, scores={1: sign * score}))
        if hopeless(sweep, trials, trials[-1]):
            stopped.append(score)
            trials[-1].state = "stopped"
    assert stopped == [4.0, 5.5, 6.2]  # 6.5 was second of six, 6.2 is third of seven


def test_a_comparison_is_made_once() -> None:
    sweep = make("random", stopping=Stopping(1, 3))
    point = propose(sweep, [])
    assert point is not None
    first = Trial(0, "", point, {}, learned=1, scores={1: 5.0})
    assert not hopeless(sweep, [first], first)
    second = Trial(1, "", point, {}, learned=1, scores={1: 9.0})
    assert not hopeless(sweep, [first, second], second)
    # The first has passed; only its next score is compared, with those that came as far.
    assert not hopeless(sweep, [first, second], first)
    first.scores[3] = 2.0
    assert not hopeless(sweep, [first, second], first)
    second.scores[3] = 1.0
    assert hopeless(sweep, [first, second], second)


def test_nothing_is_hopeless_unless_the_file_says_so() -> None:
    point = propose(make("random"), [])
    assert point is not None
    trials = [Trial(0, "", point, {}, scores={1: 9.0}), Trial(1, "", point, {}, scores={1: 1.0})]
    assert not hopeless(make("random"), trials, trials[1])
