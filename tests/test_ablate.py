"""A tiny grid, run, interrupted, gone on with and tabulated."""

import csv
import html
import io
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from killing import KILL, threads
from program import PATIENCE, RAINCHECK, environment, held, importing, until
from raincheck.ablate import Clock, ablate
from raincheck.ablation.grid import read_grid
from raincheck.ablation.plan import plan
from raincheck.ablation.record import Record
from raincheck.cli import main
from raincheck.errors import ConfigError, DivergenceError, InputError, OutputError
from raincheck.processes import cores
from tinytasks import Strike

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
SHARE = max(1, cores() // 2)  # of the threads, for each of two runs side by side
STRUCK = GRID + "  struck: {plugins: [{class_path: tinytasks.Strike}]}\n"


def grid_file(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "base.yaml").write_text(BASE)
    (folder / "tiny.yaml").write_text(text)
    return folder / "tiny.yaml"


OF_THE_DAY = ("train_seconds", "date")  # what differs from one doing to another


def reports(out: Path) -> dict[str, Any]:
    """What the runs found, without what differs from one doing to another."""
    found = {str(path.parent.relative_to(out)): json.loads(path.read_text()) for path in out.rglob("report.json")}
    return {name: {k: v for k, v in report.items() if k not in OF_THE_DAY} for name, report in found.items()}


def tables(out: Path) -> list[dict[str, str]]:
    """What the table says, without the seconds it took."""
    with (out / "table.csv").open() as file:
        return [{k: v for k, v in row.items() if "seconds" not in k} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The grid file and the folder of a grid that was run in one go."""
    folder = tmp_path_factory.mktemp("grid")
    grid, out = grid_file(folder, GRID), folder / "out"
    with threads(SHARE):
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


@pytest.mark.parametrize("cell", ["plain", "review"])
def test_tables_and_page_compare_with_the_cell_that_the_grid_names(
    finished: tuple[Path, Path], tmp_path: Path, cell: str
) -> None:
    out = shutil.copytree(finished[1], tmp_path / "out")
    ablate(grid_file(tmp_path / "grid", f"{GRID}against: {cell}\n"), out, trust=True)
    assert all(row["against"] == ("" if row["cell"] == cell else cell) for row in tables(out))
    assert f"differences in psnr\\_y from {cell} over" in (out / "table.md").read_text()
    assert f"<option selected>{cell}</option>" in (out / "report.html").read_text()


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


def lines(record: Path) -> dict[str, Any]:
    """What a record says, by id, without what differs from one doing to another."""
    found = [json.loads(line) for line in record.read_text().splitlines()]
    return {line["id"]: {k: v for k, v in line.items() if k not in OF_THE_DAY} for line in found}


ORDERS = GRID.replace("seeds: [0, 1]", "seeds: [0]\norders: [[0, 1], [1, 0]]")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A grid with two orders, its folder and its record."""
    folder = tmp_path_factory.mktemp("orders")
    grid, out, record = grid_file(folder, ORDERS), folder / "out", folder / "record.jsonl"
    ablate(grid, out, trust=True, record=record)
    return grid, out, record


@pytest.mark.slow
def test_tasks_are_learned_in_every_order(recorded: tuple[Path, Path, Path]) -> None:
    tasks = {name: report["tasks"] for name, report in reports(recorded[1]).items()}
    assert tasks == {
        f"{cell}/order-{order}/seed-0": names
        for cell in ("plain", "review")
        for order, names in (("0-1", ["veil", "drops"]), ("1-0", ["drops", "veil"]))
    }


def test_every_run_is_a_line(recorded: tuple[Path, Path, Path]) -> None:
    found = lines(recorded[2])
    runs = reports(recorded[1])
    assert len(found) == 4
    for line in found.values():
        report = runs[f"{line['cell']}/order-{'-'.join(map(str, line['order']))}/seed-{line['seed']}"]
        assert report.items() <= line.items()
        assert line["grid"] == "tiny"


def test_what_is_recorded_is_not_run_again_on_another_machine(
    recorded: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid, out, record = recorded
    before = record.read_bytes()
    monkeypatch.setattr("raincheck.run.learn", lambda *_: pytest.fail("a recorded run was run again"))
    ablate(grid, tmp_path / "other", trust=True, record=record)
    assert record.read_bytes() == before
    found = reports(tmp_path / "other")
    assert found.keys() == reports(out).keys()
    assert all(report.items() <= found[name].items() for name, report in reports(out).items())
    assert (tmp_path / "other" / "table.csv").read_text() == (out / "table.csv").read_text()


def test_a_recorded_report_is_not_put_beside_other_settings(recorded: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """An interrupted run, a grid that was edited meanwhile, and a record of another machine that has the edited one."""
    grid, out, record = recorded
    shutil.copytree(out, tmp_path / "out")
    folder = tmp_path / "out" / "plain" / "order-0-1" / "seed-0"
    (folder / "report.json").unlink()
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("batch: 2", "batch: 3"))
    with pytest.raises(ConfigError, match=r"seed-0 holds a run with other settings: batch \(3 then, 2 now\); choose "):
        ablate(grid, tmp_path / "out", trust=True, record=record)
    assert not (folder / "report.json").exists()


def test_runs_of_a_folder_come_into_the_record_later(recorded: tuple[Path, Path, Path], tmp_path: Path) -> None:
    ablate(recorded[0], recorded[1], trust=True, record=tmp_path / "new" / "late.jsonl")
    assert lines(tmp_path / "new" / "late.jsonl") == lines(recorded[2])


def test_a_line_tells_the_day_and_the_threads_of_the_run_and_not_of_the_recording(
    recorded: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(recorded[1], out)
    for path in out.rglob("report.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"date": "2020-02-02", "threads": 77}))
    ablate(recorded[0], out, trust=True, record=tmp_path / "late.jsonl")
    told = [json.loads(line) for line in (tmp_path / "late.jsonl").read_text().splitlines()]
    assert [(line["date"], line["threads"]) for line in told] == [("2020-02-02", 77)] * 4


def test_a_report_from_before_reports_had_a_day_is_recorded_without_one(
    recorded: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, late = tmp_path / "out", tmp_path / "late.jsonl"
    shutil.copytree(recorded[1], out)
    for path in out.rglob("report.json"):
        older = {k: v for k, v in json.loads(path.read_text()).items() if k not in ("date", "threads")}
        path.write_text(json.dumps(older))
    ablate(recorded[0], out, trust=True, record=late)
    assert all("date" not in line and "threads" not in line for line in map(json.loads, late.read_text().splitlines()))
    monkeypatch.setattr("raincheck.run.learn", lambda *_: pytest.fail("a recorded run was run again"))
    ablate(recorded[0], tmp_path / "other", trust=True, record=late)


def test_a_record_that_was_cut_loses_the_torn_line_only(recorded: tuple[Path, Path, Path], tmp_path: Path) -> None:
    torn, text = tmp_path / "torn.jsonl", recorded[2].read_text()
    torn.write_text(text[:-40])
    ablate(recorded[0], recorded[1], trust=True, record=torn)
    assert lines(torn) == lines(recorded[2])


@pytest.mark.parametrize("content", [None, b"\xff\n"], ids=["folder", "binary"])
def test_a_record_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    record = tmp_path / "record.jsonl"
    record.mkdir() if content is None else record.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^cannot read the record {record} \(.*\); choose another --record$"):
        Record(record)


NAMELESS = '{"id": ["a"], "grid": "", "cell": "", "order": null, "metrics": {}}'


@pytest.mark.parametrize("line", ["9" * 5000, "[" * 100_000, NAMELESS], ids=["digits", "depth", "nameless"])
def test_a_line_that_no_record_could_hold_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "record.jsonl").write_text(f"{line}\n")
    with pytest.raises(ConfigError, match="line 1 is not a line of a grid's record; correct or remove it"):
        Record(tmp_path / "record.jsonl")


def test_a_line_that_is_none_is_named(recorded: tuple[Path, Path, Path], tmp_path: Path) -> None:
    (tmp_path / "wrong.jsonl").write_text(recorded[2].read_text() + "{}\n")
    with pytest.raises(ConfigError) as error:
        ablate(recorded[0], recorded[1], trust=True, record=tmp_path / "wrong.jsonl")
    sentence = f"{tmp_path / 'wrong.jsonl'}, line 5 is not a line of a grid's record; correct or remove it"
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("end", "kept"), [("\n", 4), ("", 4), ("\n\n", 4), ('\n{"id": "5", "me', 4), ("\n{", 4), (None, 3)]
)
def test_lines_joined_by_hand_are_kept_and_what_a_kill_left_goes(
    recorded: tuple[Path, Path, Path], tmp_path: Path, end: str | None, kept: int
) -> None:
    path, text = tmp_path / "record.jsonl", recorded[2].read_text().rstrip("\n")
    path.write_text(text[:-9] if end is None else text.replace("\n", "\n\n", 1) + end)
    record = Record(path)
    assert len(record.lines) == kept
    one: Any = SimpleNamespace(identity="new", cell="cell", order=None)
    record.add("grid", one, {"metrics": {}})
    assert Record(path).lines == record.lines and len(record.lines) == kept + 1


@pytest.mark.parametrize("content", ["notes without an end of line", "[1, 2]"])
def test_a_file_of_another_kind_is_named_and_stays(tmp_path: Path, content: str) -> None:
    (tmp_path / "notes").write_text(content)
    with pytest.raises(ConfigError, match="line 1 is not a line of a grid's record; correct or remove it"):
        Record(tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == content


def test_without_time_only_tables_are_written(
    recorded: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    half = tmp_path / "half.jsonl"
    half.write_text("".join(recorded[2].read_text().splitlines(keepends=True)[:3]))
    ablate(recorded[0], tmp_path / "out", trust=True, record=half, minutes=0)
    assert "3 of 4 runs are finished; the same command goes on" in capsys.readouterr().out
    assert len(reports(tmp_path / "out")) == 3 and (tmp_path / "out" / "table.md").exists()


def test_data_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    base = BASE.replace("tinytasks.TinyRain, init_args: {kind: veil}", RENDERED.replace("ROOT", str(tmp_path)))
    grid = grid_file(tmp_path, GRID)
    (tmp_path / "base.yaml").write_text(base)
    with pytest.raises(InputError) as error:
        ablate(grid, tmp_path / "out", trust=True)
    assert str(error.value) == (
        f"{grid} learns from {tmp_path}/absent.mp4, which is not there; bring the data that docs/DATA.md names, or run "
        "a grid that needs none, such as experiments/ablations/demo.yaml"
    )
    assert not (tmp_path / "out").exists()


def test_data_of_a_later_cell_are_missed_before_the_first_run(tmp_path: Path) -> None:
    later = RENDERED.replace("ROOT", str(tmp_path))
    cells = f"  later: {{stream: {{tasks: [{{class_path: {later}}}]}}}}\n"
    grid = grid_file(tmp_path, GRID + cells)
    with pytest.raises(InputError, match=rf"^{grid} learns from {tmp_path}/absent\.mp4, which is not there; "):
        ablate(grid, tmp_path / "out", trust=True)
    assert not (tmp_path / "out").exists()


RENDERED = "raincheck.datasets.rendered.RenderedRain, init_args: {name: a, rain: thin, root: ROOT, train: [absent.mp4]}"


MIXED = """
base: [base.yaml]
options: [--batch, 2]
cells:
  wild: {optimizer: {class_path: torch.optim.SGD, init_args: {lr: 1.0e+38}}}
  plain:
  elsewhere: {stream: {tasks: [{class_path: tinytasks.TinyRain, init_args: {kind: streaks}}]}}
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A grid with a cell that diverges, and one that is about other data."""
    folder = tmp_path_factory.mktemp("mixed")
    grid, out = grid_file(folder, MIXED), folder / "out"
    assert main(["ablate", str(grid), "--out", str(out), "--trust"]) == 1
    return grid, out


def test_a_cell_that_diverges_is_noted_and_the_others_are_run(mixed: tuple[Path, Path]) -> None:
    _, out = mixed
    assert reports(out).keys() == {"plain/seed-0", "elsewhere/seed-0"}
    said = json.loads((out / "wild" / "seed-0" / "failed.json").read_text())
    assert re.match(r"the loss term '\w+' became (nan|inf) in experience 0 \(veil\), step 1; ", said["failed"])


def test_each_set_of_the_same_data_has_a_table_that_shows_what_failed(mixed: tuple[Path, Path]) -> None:
    _, out = mixed
    why = json.loads((out / "wild" / "seed-0" / "failed.json").read_text())["failed"]
    first, second = (list(csv.DictReader((out / f"table-{number}.csv").open())) for number in (1, 2))
    assert [(row["cell"], row["runs"]) for row in first] == [("plain", "1"), ("wild", "0")]
    assert (first[1]["average"], first[1]["notes"]) == ("", f"seed-0 failed: {why}")
    assert [row["cell"] for row in second] == ["elsewhere"]
    assert re.search(r"\| wild \| failed \|", (out / "table-1.md").read_text())
    page = (out / "report.html").read_text()
    assert html.escape(f"wild: seed-0 failed: {why}", quote=True).replace("&#x27;", "&#39;") in page
    assert not (out / "table.csv").exists()


def test_tables_of_a_former_grid_do_not_stay(mixed: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(mixed[1], out)
    kept = ["table-1-mine.csv", "table.txt"]
    for name in kept:
        (out / name).touch()
    ablate(grid_file(tmp_path, MIXED.partition("  elsewhere")[0]), out, trust=True)
    assert sorted(path.name for path in out.glob("table*")) == sorted(["table.csv", "table.md", "table.tex", *kept])
    shutil.rmtree(out)
    shutil.copytree(mixed[1], out)
    (out / "table.csv").touch()
    ablate(grid_file(tmp_path, MIXED), out, trust=True)
    assert sorted(path.name for path in out.glob("table*.csv")) == ["table-1.csv", "table-2.csv"]


def test_what_failed_is_run_again_only_when_asked_or_with_other_settings(
    mixed: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grid, out = grid_file(tmp_path, MIXED), tmp_path / "out"
    shutil.copytree(mixed[1], out)
    with monkeypatch.context() as patch:
        patch.setattr("raincheck.run.learn", lambda *_: pytest.fail("a failed run was run again"))
        assert [one.name for one in ablate(grid, out, trust=True)] == ["wild, seed-0"]
    assert "what failed is not run again with the same settings, unless --retry is given" in capsys.readouterr().out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("raincheck.run.learn", lambda *_: (_ for _ in ()).throw(DivergenceError("again")))
        assert [one.failure for one in ablate(grid, out, trust=True, retry=True)] == ["again"]
    tame = grid_file(tmp_path, MIXED.replace("1.0e+38", "1.0e-3"))
    assert ablate(tame, out, trust=True) == []
    assert "wild/seed-0" in reports(out) and not (out / "wild" / "seed-0" / "failed.json").exists()


@pytest.mark.slow
def test_side_by_side_finds_the_same(recorded: tuple[Path, Path, Path], tmp_path: Path) -> None:
    with threads(SHARE):
        ablate(recorded[0], tmp_path / "one", trust=True, record=tmp_path / "one.jsonl")
    ablate(recorded[0], tmp_path / "two", trust=True, record=tmp_path / "two.jsonl", jobs=2)
    assert reports(tmp_path / "two") == reports(tmp_path / "one")
    assert lines(tmp_path / "two.jsonl").keys() == lines(tmp_path / "one.jsonl").keys()


@pytest.mark.slow
def test_a_mistake_side_by_side_ends_all(tmp_path: Path) -> None:
    grid = grid_file(
        tmp_path, GRID + "  huge: {plugins: [{class_path: raincheck.plugins.RainReview, init_args: {budget: 1}}]}\n"
    )
    with pytest.raises(ConfigError, match=r"^a review budget of 1 bytes gives each of 2 tasks 0 bytes"):
        ablate(grid, tmp_path / "out", trust=True, jobs=2)


KILLED = GRID.replace("seeds: [0, 1]", "seeds: [0]") + "  killed: {plugins: [{class_path: killing.Killer}]}\n"


@pytest.mark.slow
def test_a_process_that_is_killed_is_one_sentence_and_the_grid_goes_on(
    finished: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid, out = grid_file(tmp_path, KILLED), tmp_path / "out"
    monkeypatch.setenv(KILL, "after_update:5:SIGKILL")
    with pytest.raises(
        ConfigError, match=r"^a process with one of 2 runs was killed, perhaps for want of memory; give"
    ):
        ablate(grid, out, trust=True, jobs=2)
    assert "killed/seed-0" not in reports(out)
    monkeypatch.delenv(KILL)
    with threads(SHARE):
        ablate(grid, out, trust=True)
    expected, found = reports(finished[1]), reports(out)
    assert {name: found[name] for name in ("plain/seed-0", "review/seed-0")} == {
        name: expected[name] for name in ("plain/seed-0", "review/seed-0")
    }
    assert found["killed/seed-0"]["metrics"] == found["plain/seed-0"]["metrics"]  # its one plugin does nothing


@pytest.mark.slow
def test_ctrl_c_while_processes_start_is_one_line(tmp_path: Path) -> None:
    command = [*RAINCHECK, "ablate", str(grid_file(tmp_path, GRID)), "--out", str(tmp_path / "out"), "--trust"]
    running = subprocess.Popen(
        [*command, "--jobs", "2"],
        env=environment(),
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: running.poll() is not None or importing(running.pid), "a worker that imports")
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130 and "Traceback" not in said and said.endswith("raincheck: interrupted\n")


@pytest.mark.slow
def test_processes_end_with_the_one_that_began_them(finished: tuple[Path, Path], tmp_path: Path) -> None:
    grid, out = grid_file(tmp_path, GRID.replace("steps: 3", "steps: 300")), tmp_path / "out"
    (tmp_path / "base.yaml").write_text(BASE.replace("steps: 3", "steps: 300"))
    command = [*RAINCHECK, "ablate", str(grid), "--out", str(out), "--trust", "--jobs", "2"]
    running = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
    until(lambda: list(out.glob("*/seed-0/checkpoints")) or running.poll() is not None, "a run that has begun")
    assert running.poll() is None
    running.kill()
    running.wait()
    until(lambda: not any(map(held, out.rglob(".lock"))), "the end of who works in the grid's folders")


@pytest.mark.parametrize(
    ("jobs", "left"),
    [
        (1, ["", "3 min 00 s", "2 min 00 s", "1 min 00 s"]),
        (2, ["", "", "3 min 20 s", "1 min 48 s"]),
    ],
    ids=["one", "two"],
)
def test_the_time_left_is_told_from_the_runs_that_ended(
    recorded: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, left: list[str]
) -> None:
    """A run a minute; beside another one it counts half: 120 / 1.5 * 2.5 and 180 / 2.5 * 1.5 seconds."""
    now = [0.0]
    monkeypatch.setattr("raincheck.ablate.time.perf_counter", lambda: now[0])
    text = io.StringIO()
    planned = plan(read_grid(recorded[0]), recorded[0], tmp_path, trust=True)
    clock = Clock(Console(file=text, width=100), planned, None, jobs)
    for one in planned:
        assert clock(one)
        now[0] += 60
    lines = text.getvalue().splitlines()
    assert [line.split(" of 4")[1].strip(", ").removesuffix(" left") for line in lines] == left


def test_jobs_are_one_or_more(recorded: tuple[Path, Path, Path]) -> None:
    with pytest.raises(ConfigError) as error:
        ablate(recorded[0], recorded[1], trust=True, jobs=0)
    assert str(error.value) == "--jobs cannot be 0; give 1 or more"
