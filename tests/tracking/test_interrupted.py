"""metrics.csv of a run that was stopped says what that of a run that was not says."""

from pathlib import Path
from typing import Any

import pytest

from raincheck.tracking.table import read_rows
from test_run import RRGNET, STRIKE, start
from tinytasks import Strike


def without_times(run: Path) -> list[dict[str, str]]:
    rows = read_rows(run / "logs" / "metrics.csv")
    return [{name: text for name, text in row.items() if not name.startswith("system/")} for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    out = tmp_path_factory.mktemp("runs") / "whole"
    start(out, plugins=[*RRGNET, {**STRIKE, "init_args": {"experience": 9}}])
    return without_times(out)


@pytest.mark.parametrize("experience", [pytest.param(0, marks=pytest.mark.slow), 1])
@pytest.mark.parametrize("save_every", [0.0, pytest.param(60.0, marks=pytest.mark.slow)])
def test_no_row_is_missing_or_there_twice(
    whole: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, experience: int, save_every: float
) -> None:
    """With a checkpoint at every step nothing is repeated; without, the experience is."""
    strike: dict[str, Any] = {**STRIKE, "init_args": {"experience": experience}}
    with pytest.raises(SystemError):
        start(tmp_path / "run", plugins=[*RRGNET, strike], save_every=save_every)
    monkeypatch.setattr(Strike, "armed", False)
    start(tmp_path / "run", plugins=[*RRGNET, strike], save_every=save_every)
    lines = (tmp_path / "run" / "logs" / "metrics.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", *map(str, range(16))]
    assert without_times(tmp_path / "run") == whole
