"""Where dots and intervals lie."""

import pytest

from raincheck.report.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from raincheck.report.prices import BAR, Dot, bars, labelled, plots
from reports import joint, matrix, ranking_of, report


def test_cost_goes_right_and_score_goes_up() -> None:
    reports = [report("cheap", matrix(20.0)), report("dear", matrix(40.0), memory_bytes=10_000_000)]
    [plot] = plots(ranking_of(reports))
    assert plot.title == "memory, MB", "all other costs are the same"
    dear, cheap = plot.dots
    assert (cheap.x, cheap.y) == (LEFT, HEIGHT - BOTTOM) and (dear.x, dear.y) == (WIDTH - RIGHT, TOP)
    assert dear.text == "dear: 40.00, 10.0 MB" and dear.reach is None


def test_intervals_are_drawn() -> None:
    reports = [report("a", matrix(30.0 + seed), seed=seed) for seed in range(3)]
    reports += [report("b", matrix(20.0), seed=seed, train_seconds=10.0) for seed in range(3)]
    ranked = ranking_of(reports)
    dot = plots(ranked)[0].dots[0]
    assert (
        dot.reach is not None
        and dot.reach[0] - dot.y == pytest.approx(dot.y - dot.reach[1], abs=0.2)
        and dot.reach[0] > dot.y
    )
    a, b = bars(ranked)
    assert a and b and 0 < b.low == b.dot == b.high < a.low < a.dot < a.high < BAR


def test_unknown_costs_and_scores_are_left_out() -> None:
    reports = [
        report("a", train_seconds=1),
        report("b"),
        joint(31.0),
        report("c", [[1.0, 1.0], [2.0, 2.0], [3.0, None]]),
    ]
    ranked = ranking_of(reports)
    found = {plot.title: [dot.name for dot in plot.dots] for plot in plots(ranked)}
    assert found == {"training, minutes": ["a", "b", "joint"]}
    assert [bar is None for bar in bars(ranked)] == [False, False, True, False]


def test_names_lie_on_no_dot_and_no_other_name() -> None:
    places = {
        "alone": (50, 50),
        "right of": (300, 100),
        "left of": (290, 102),
        "above": (292, 140),
        "below": (300, 145),
    }
    dots = [Dot(name, 0, x, y, None, "") for name, (x, y) in places.items()]
    found = {dot.name: dot.label for dot in labelled(dots)}
    # "right of" would lie on the other dot, "above" on none; "below" is as near to that dot as to its name.
    assert found == {
        "alone": (57, "start", "alone"),
        "right of": None,
        "left of": (283, "end", "left of"),
        "above": (285, "end", "above"),
        "below": None,
    }


@pytest.mark.parametrize("x", [50, 180, 196, 197, 340])
def test_long_names_end_within_the_drawing(x: float) -> None:
    name = "review=streaks,distillation=reviewed,memory=4MB,window=5"
    (dot,) = labelled([Dot(name, 0, x, 50, None, "")])
    assert dot.label is not None
    near, anchor, text = dot.label
    assert text.endswith("…") and name.startswith(text[:-1]) and len(text) > 15
    assert (near + 6.2 * len(text) <= 360) if anchor == "start" else (near - 6.2 * len(text) >= 46)
