"""Legs run what this process would, wherever they run."""

from pathlib import Path

import pytest

from raincheck.sweeping.legs import Leg, run_leg


@pytest.mark.parametrize("here", [False, True], ids=["as a program", "as a module of the directory"])
def test_modules_in_the_directory_are_a_legs_only_if_they_are_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: bool
) -> None:
    (tmp_path / "fractions.py").write_text("raise SystemExit('taken for the one of Python')")
    if here:
        monkeypatch.syspath_prepend(tmp_path)
    said = run_leg(Leg(0, ("--until", "many"), {}, None, tmp_path / "run", tmp_path))
    assert said == (
        "taken for the one of Python"
        if here
        else "argument --until: invalid int value: 'many'; see raincheck run --help"
    )
