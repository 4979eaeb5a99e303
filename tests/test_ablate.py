"""A tiny grid, run, interrupted, gone on with and tabulated."""

import csv
import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from raincheck.ablate import ablate, check
from raincheck.ablation_grid import read_grid
from raincheck.errors import ConfigError, OutputError
from tinytasks import Strike

SHIPPED = Path(__file__).parents[1] / "experiments" / "ablations"
BASE = """
stream:
  crop: 16
  steps: 3
  tasks:
    - {class_path: tinytasks.TinyRain, init_args: {kind: veil}}
    - {class_path: tinytasks.TinyRain, init_args: {kind: drops}}
network: {class_path: raincheck.networks.RRGNet, init_args: {window: 3, width: 4}}
loss: {class_path: raincheck.losses.Charbonnier}
tracking: none
"""
GRID = """
base: [base.yaml]
options: [--batch, 2]
seeds: [0, 1]
cells:
  plain:
  review: {plugins: [{class_path: raincheck.plugins.RainReview, init_args: {batch: 2}}]}
"""
STRUCK = GRID + "  struck: {plugins: [{class_path: tinytasks.Strike}]}\n"


def grid_file(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "base.yaml").write_text(BASE)
    (folder / "tiny.yaml").write_text(text)
    return folder / "tiny.yaml"


def reports(out: Path) -> dict[str, Any]:
    """What the runs found, without the seconds they took."""
    found = {str(path.parent.relative_to(out)): json.loads(path.read_text()) for path in out.rglob("report.json")}
    return {name: {k: v for k, v in report.items() if k != "train_seconds"} for name, report in found.items()}


def tables(out: Path) -> list[dict[str, str]]:
    """What the table says, without the seconds it took."""
    with (out / "table.csv").open() as file:
        return [{k: v for k, v in row.items() if "seconds" not in k} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The grid file and the folder of a grid that was run in one go."""
    folder = tmp_path_factory.mktemp("grid")
    grid, out = grid_file(folder, GRID), folder / "out"
    ablate(grid, out, trust=True)
    return grid, out


def test_every_cell_is_run_with_every_seed_and_its_own_settings(finished: tuple[Path, Path]) -> None:
    runs = reports(finished[1])
    assert set(runs) == {f"{cell}/seed-{seed}" for cell in ("plain", "review") for seed in (0, 1)}
    for name, report in runs.items():
        cell, seed = name.split("/seed-")
        assert (report["method"], report["seed"], report["tasks"]) == (cell, int(seed), ["veil", "drops"])
        assert (report["review_bytes"] > 0) == (cell == "review")


def test_the_table_holds_mean_and_interval_over_seeds(finished: tuple[Path, Path]) -> None:
    runs = reports(finished[1])
    with (finished[1] / "table.csv").open() as file:
        rows = {row["cell"]: row for row in csv.DictReader(file)}
    averages = [float(row["average"]) for row in rows.values()]
    assert set(rows) == {"plain", "review"} and averages == sorted(averages, reverse=True)
    for cell, row in rows.items():
        matrices = [runs[f"{cell}/seed-{seed}"]["metrics"]["psnr_y"]["R"] for seed in (0, 1)]
        # With two tasks both scores are about the first one: forgetting is R[1,1] - R[2,1], BWT its negative.
        expected = {
            "average": [fmean(R[2]) for R in matrices],
            "forgetting": [R[1][0] - R[2][0] for R in matrices],
            "BWT": [R[2][0] - R[1][0] for R in matrices],
            "learned": [(R[1][0] + R[2][1]) / 2 for R in matrices],
        }
        for column, (one, other) in expected.items():
            assert float(row[column]) == pytest.approx((one + other) / 2)
            # Of two values: s / sqrt(2) is half their distance, and t(0.975, 1) is 12.7062 in any table.
            assert float(row[f"{column} ±"]) == pytest.approx(12.7062 * abs(one - other) / 2, rel=1e-4, abs=1e-9)


def test_the_page_names_every_run(finished: tuple[Path, Path]) -> None:
    page = (finished[1] / "report.html").read_text()
    for label in ("plain, seed 0", "plain, seed 1", "review, seed 0", "review, seed 1"):
        assert f"<summary>{label}</summary>" in page


def test_a_finished_grid_is_not_run_again(
    finished: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    grid, out = finished
    before = {path: path.stat().st_mtime_ns for path in out.rglob("report.json")}
    monkeypatch.setattr("raincheck.run.learn", lambda *_: pytest.fail("a finished run was run again"))
    ablate(grid, out, trust=True)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("report.json")} == before
    assert capsys.readouterr().out.count("finished before") == 4


def test_an_interrupted_grid_goes_on_to_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = grid_file(tmp_path, STRUCK.replace("  plain:\n", "").replace("seeds: [0, 1]", "seeds: [0]"))
    with pytest.raises(SystemError, match="struck"):
        ablate(grid, tmp_path / "cut", trust=True)
    assert set(reports(tmp_path / "cut")) == {"review/seed-0"}
    assert not (tmp_path / "cut" / "table.csv").exists()
    monkeypatch.setattr(Strike, "armed", False)
    ablate(grid, tmp_path / "cut", trust=True)
    ablate(grid, tmp_path / "whole", trust=True)
    assert reports(tmp_path / "cut") == reports(tmp_path / "whole")
    assert tables(tmp_path / "cut") == tables(tmp_path / "whole")


def test_changed_settings_are_refused(finished: tuple[Path, Path]) -> None:
    grid, out = finished
    other = grid_file(grid.parent / "other", GRID.replace("--batch, 2", "--batch, 3"))
    with pytest.raises(ConfigError) as error:
        ablate(other, out, trust=True)
    place = out / "plain" / "seed-0"
    assert str(error.value) == f"{place} holds a run with other settings: batch (2 then, 3 now); choose another --out"


def test_a_wrong_cell_is_named_before_anything_is_run_or_written(tmp_path: Path) -> None:
    wrong = GRID + "  typo: {plugins: [{class_path: raincheck.plugins.RainRevue}]}\n"
    grid = grid_file(tmp_path, wrong)
    with pytest.raises(ConfigError) as error:
        ablate(grid, tmp_path / "out", trust=True)
    assert str(error.value) == (
        f"{grid}, cell typo: there is no class raincheck.plugins.RainRevue; did you mean raincheck.plugins.RainReview?"
    )
    assert not (tmp_path / "out").exists()


def test_classes_of_others_need_trust(tmp_path: Path) -> None:
    grid = grid_file(tmp_path, GRID)
    with pytest.raises(ConfigError, match=r"the class tinytasks\.TinyRain in .* is not of raincheck"):
        ablate(grid, tmp_path / "out")


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    grid, out = grid_file(tmp_path, GRID), tmp_path / "holiday"
    out.mkdir()
    (out / "photo.jpg").write_text("")
    with pytest.raises(OutputError) as error:
        ablate(grid, out, trust=True)
    assert str(error.value) == f"{out} is not empty and holds no grid; choose another --out"
    assert sorted(path.name for path in out.iterdir()) == ["photo.jpg"]


@pytest.mark.parametrize("grid", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_grids_are_valid_and_say_what_they_are(grid: Path) -> None:
    check(read_grid(grid), grid, trust=False)
    opening = grid.read_text().split("\nbase:")[0]
    assert all(f"# {word}:" in opening for word in ("Command", "Time", "Expected"))
