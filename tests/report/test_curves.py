from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raincheck.report.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, charts, round_ticks
from raincheck.report.reading import read_runs

Make = Callable[..., Path]


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


def test_geometry(make_run: Make) -> None:
    rows = [[20.0, 30.0], [40.0, 20.0], [25.0, None]]
    run = make_run("ewc", tasks=["a", "b"], metrics={"psnr_y": {"R": rows}})
    first, second = charts(read_runs([run]), "psnr_y")
    bottom, top, middle = HEIGHT - BOTTOM, TOP, (LEFT + WIDTH - RIGHT) / 2
    assert [text for _, text in first.y_ticks] == ["20", "25", "30", "35", "40"]
    assert [text for _, text in first.x_ticks] == ["before", "a", "b"]
    assert (first.learned, second.learned) == (middle, WIDTH - RIGHT)
    quarter = bottom - (bottom - top) / 4
    assert first.lines[0].pieces == [
        f"{LEFT:.1f},{bottom:.1f} {middle:.1f},{top:.1f} {WIDTH - RIGHT:.1f},{quarter:.1f}"
    ]
    assert [text for _, _, text in first.lines[0].points] == [
        "ewc, before training: 20.00 dB",
        "ewc, after a: 40.00 dB",
        "ewc, after b: 25.00 dB",
    ]
    assert len(second.lines[0].points) == 2, "an unknown score is not drawn"


def test_other_orders_have_numbers_for_names(make_run: Make) -> None:
    runs = read_runs([make_run("x"), make_run("y", tasks=["wind", "thin", "dense"])])
    found = charts(runs, "psnr_y")
    assert [text for _, text in found[0].x_ticks] == ["before", "1", "2", "3"]
    assert all(chart.learned is None and len(chart.lines) == 2 for chart in found)


def test_gaps_are_not_bridged(make_run: Make) -> None:
    joint = make_run("joint", [[20.0] * 3, [None] * 3, [None] * 3, [31.0] * 3])
    line = charts(read_runs([joint]), "psnr_y")[0].lines[0]
    assert (line.pieces, len(line.points)) == ([], 2)


def test_nothing_known(make_run: Make) -> None:
    run = make_run("begun", [[None] * 3] * 4)
    assert charts(read_runs([run]), "psnr_y")[0].lines[0].points == []
