from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raincheck.evaluation.matrix import Matrix
from raincheck.report.axes import axis, round_ticks
from raincheck.report.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, charts
from raincheck.report.reading import read_runs
from raincheck.report.series import Series, by_order, joined

Make = Callable[..., Path]
MIDDLE = (LEFT + WIDTH - RIGHT) / 2


def series(paths: list[Path]) -> list[Series]:
    runs = read_runs(paths)
    [found] = by_order(runs, "psnr_y", list(dict.fromkeys(run.name for run in runs))).values()
    return found


@given(st.floats(-1e3, 1e3), st.floats(1e-4, 1e3))
def test_ticks_are_few_round_and_enclose(low: float, span: float) -> None:
    ticks = round_ticks(low, low + span)
    step = ticks[1] - ticks[0]
    assert 3 <= len(ticks) <= 7
    assert ticks[0] <= low + 1e-6 * step and ticks[-1] >= low + span - 1e-6 * step
    assert f"{step:.3e}"[:5] in {"1.000", "2.000", "5.000", "9.999", "1.999", "4.999"}


@pytest.mark.parametrize("value", [0.0, 30.0, -2.5])
def test_ticks_of_a_single_value(value: float) -> None:
    ticks = round_ticks(value, value)
    assert ticks[0] <= value <= ticks[-1] and len(ticks) >= 3


@pytest.mark.parametrize("size", [1e3, 1e7, 1e9, 9e11])
def test_ticks_of_large_numbers_that_are_nearly_one(size: float) -> None:
    for share in (2.3e-16, 1e-14, 1e-11, 1.1e-9, 1e-6):
        for low, high in ((size, size * (1 + share)), (-size * (1 + share), -size)):
            found = axis([low, high], 0, 100)
            assert found.ticks[0] < found.ticks[1] and len(found.labels()) >= 3
            assert 0 <= found(low) <= found(high) <= 100


def test_an_axis() -> None:
    found = axis([20.0, 40.0], 100, 0)
    assert [found(value) for value in (20, 30, 40)] == [100, 50, 0]
    assert found.labels() == [(100, "20"), (75, "25"), (50, "30"), (25, "35"), (0, "40")]
    assert axis([], 0, 1).labels() == [(0, "0"), (1, "1")]


def test_geometry(make_run: Make) -> None:
    rows = [[20.0, 30.0], [40.0, 20.0], [25.0, None]]
    first, second = charts(series([make_run("ewc", tasks=["a", "b"], metrics={"psnr_y": {"R": rows}})]), "psnr_y")
    bottom, top = HEIGHT - BOTTOM, TOP
    assert [text for _, text in first.y_ticks] == ["20", "25", "30", "35", "40"]
    assert [text for _, text in first.x_ticks] == ["before", "a", "b"]
    assert (first.learned, second.learned) == (MIDDLE, WIDTH - RIGHT)
    quarter = bottom - (bottom - top) / 4
    assert first.lines[0].pieces == [
        f"{LEFT:.1f},{bottom:.1f} {MIDDLE:.1f},{top:.1f} {WIDTH - RIGHT:.1f},{quarter:.1f}"
    ]
    assert [text for _, _, text in first.lines[0].points] == [
        "ewc, before training: 20.00 dB",
        "ewc, after a: 40.00 dB",
        "ewc, after b: 25.00 dB",
    ]
    assert len(second.lines[0].points) == 2, "an unknown score is not drawn"
    assert first.lines[0].reaches == [], "one run reaches nowhere"


def test_of_several_seeds_the_mean_is_drawn_and_how_far_they_reach(make_run: Make) -> None:
    def run(seed: int, score: float) -> Path:
        rows = [[20.0, 20.0], [score, 20.0], [20.0, 40.0]]
        return make_run(f"seed-{seed}", method="ewc", seed=seed, tasks=["a", "b"], metrics={"psnr_y": {"R": rows}})

    line = charts(series([run(0, 25.0), run(1, 35.0)]), "psnr_y")[0].lines[0]
    height = HEIGHT - BOTTOM - TOP
    assert line.points[1] == (MIDDLE, TOP + height / 2, "ewc, after a: 30.00 dB, mean of 2 runs")
    assert line.reaches[1] == (MIDDLE, TOP + height * 3 / 4, TOP + height / 4)


def test_orders_are_drawn_apart(make_run: Make) -> None:
    runs = read_runs([make_run("x"), make_run("y", tasks=["wind", "thin", "dense"])])
    found = by_order(runs, "psnr_y", ["y", "x"])
    assert {order: [(one.label, one.colour) for one in same] for order, same in found.items()} == {
        ("thin", "dense", "wind"): [("x", 1)],
        ("wind", "thin", "dense"): [("y", 0)],
    }


def test_an_entry_that_one_run_does_not_know_is_unknown() -> None:
    whole = Matrix(("a",), ((1.0,), (2.0,)))
    found = joined("ewc", 0, [whole, Matrix(("a",), ((3.0,), (None,)))])
    assert (found.mean.rows, found.low.rows, found.high.rows) == (
        ((2.0,), (None,)), ((1.0,), (None,)), ((3.0,), (None,))
    )  # fmt: skip


def test_gaps_are_not_bridged(make_run: Make) -> None:
    line = charts(series([make_run("joint", [[20.0] * 3, [None] * 3, [None] * 3, [31.0] * 3])]), "psnr_y")[0].lines[0]
    assert (line.pieces, len(line.points)) == ([], 2)


def test_nothing_known(make_run: Make) -> None:
    assert charts(series([make_run("begun", [[None] * 3] * 4)]), "psnr_y")[0].lines[0].points == []
