"""Runs tracked by W&B, offline, read back from W&B's file."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from wandb.proto.wandb_internal_pb2 import Record

from program import RAINCHECK, environment, finish
from raincheck.dashboard import specification
from raincheck.evaluation.matrix import Matrix
from raincheck.metrics import METRICS
from raincheck.report.reading import read_runs
from raincheck.tracking import make_tracker
from raincheck.tracking.table import TableTracker
from raincheck.tracking.wandb_run import AXIS
from raincheck.tracking.weights_and_biases import WandbTracker
from test_run import RRGNET, STRIKE, numbers, settings, start, weights
from tinytasks import KINDS, Strike, same
from wandbfile import history, records
from wandbserver import KEY, serving

EVIL = "<script>alert('a')</script>"
LOSSES = {"train/loss", "train/data", "train/ewc", "train/distillation/review", "train/distillation/new"}


def file_of(run: Path) -> Path:
    """The one folder that a run has left for `wandb sync`."""
    [folder] = (run / "wandb").glob("offline-run-*")
    return folder


def logged(run: Path, key: str) -> list[tuple[int, Any]]:
    return [(row["iteration"], row[key]) for row in history(file_of(run)) if key in row]


def one(found: list[Record], kind: str) -> Any:
    [record] = [record for record in found if record.WhichOneof("record_type") == kind]
    return getattr(record, kind)


@pytest.fixture(scope="module")
def tracked_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("runs") / "tracked"
    return out, start(out, tracking="wandb", plugins=[*RRGNET, STRIKE | {"init_args": {"experience": 9}}])


def test_one_run_with_its_axis_configuration_and_commit(tracked_run: tuple[Path, dict[str, Any]]) -> None:
    found = records(file_of(tracked_run[0]))
    run = one(found, "run")
    assert run.run_id == (tracked_run[0] / "wandb" / "id.txt").read_text()
    assert (run.project, run.run_group, run.display_name) == ("raincheck", "tiny", "tiny-0")
    assert one(found, "exit").exit_code == 0
    metrics = [record.metric for record in found if record.HasField("metric")]
    assert [(m.name, m.glob_name, m.step_metric) for m in metrics] == [("iteration", "", ""), ("", "*", "iteration")]
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    written = yaml.safe_load((tracked_run[0] / "config.yaml").read_text())
    assert {key: config[key] for key in written} == written
    [mine] = [i for r in found for i in r.config.update if r.HasField("config") and i.key == "raincheck"]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True)
    if head.returncode == 0:  # a source distribution is no checkout
        assert json.loads(mine.value_json)["commit"].removesuffix("-dirty") == head.stdout.strip()


def test_every_loss_term_is_logged_over_all_experiences(tracked_run: tuple[Path, dict[str, Any]]) -> None:
    assert [step for step, _ in logged(tracked_run[0], "train/loss")] == list(range(1, 16))
    for term in LOSSES:
        assert len(logged(tracked_run[0], term)) in (10, 15)  # no old task, no term about it
    with (tracked_run[0] / "logs" / "metrics.csv").open(newline="") as file:
        table = [(int(row["step"]), float(row["train/loss"])) for row in csv.DictReader(file) if row["train/loss"]]
    assert table == logged(tracked_run[0], "train/loss")


def test_scores_and_what_follows_from_them(tracked_run: tuple[Path, dict[str, Any]]) -> None:
    out, report = tracked_run
    for metric in METRICS:
        rows = report["metrics"][metric]["R"]
        for j, task in enumerate(KINDS):
            assert logged(out, f"{metric}/{task}") == [(5 * i, row[j]) for i, row in enumerate(rows)]
        for name in ("average", "forgetting", "bwt", "fwt"):
            assert logged(out, f"{name}/{metric}")[-1] == (15, report["metrics"][metric][name])
        assert len(logged(out, f"heatmap/{metric}/path")) == len(logged(out, f"curves/{metric}/path")) == 3
        _, path = logged(out, f"R/{metric}/path")[-1]
        table = json.loads((file_of(out) / "files" / path).read_text())
        assert table["columns"] == ["learned", *KINDS] and [row[1:] for row in table["data"]] == rows


def test_pictures_videos_speed_and_artifacts(tracked_run: tuple[Path, dict[str, Any]]) -> None:
    out, report = tracked_run
    for task in KINDS:
        [(step, captions)] = logged(out, f"frames/{task}/captions")
        assert step == 15 and captions == ["rainy", "derained", "clean"]
        [(_, files)] = logged(out, f"frames/{task}/filenames")
        pictures = [Image.open(file_of(out) / "files" / file) for file in files]
        before = [Image.open(out / "frames" / f"{task}_00003_{kind}.png") for kind in captions]
        assert [picture.tobytes() for picture in pictures] == [picture.tobytes() for picture in before]
        [(_, video)] = logged(out, f"video/{task}/path")
        assert (file_of(out) / "files" / video).read_bytes() == (out / "frames" / f"{task}.mp4").read_bytes()
    for speed in ("steps_per_second", "clips_per_second", "peak_memory_bytes"):
        assert [step for step, _ in logged(out, f"system/{speed}")] == [5, 10, 15]
        assert all(value > 0 for _, value in logged(out, f"system/{speed}"))
    assert [step for step, _ in logged(out, "system/eval_frames_per_second")] == [0, 5, 10, 15]
    found = records(file_of(out))
    assert any(record.HasField("stats") for record in found)  # W&B's own: CPU, memory, GPU
    artifacts = {record.artifact.type: record.artifact for record in found if record.HasField("artifact")}
    contents = {kind: {entry.path: entry.local_path for entry in a.manifest.contents} for kind, a in artifacts.items()}
    assert contents["weights"] == {"weights.safetensors": str(out / "weights.safetensors")}
    assert contents["report"] == {name: str(out / name) for name in ("report.json", "config.yaml")}
    sums = {i.key: json.loads(i.value_json) for r in found if r.HasField("summary") for i in r.summary.update}
    costs = ("parameters", "review_bytes", "memory_bytes", "extra_passes", "train_seconds")
    assert {key: sums[key] for key in costs} == {key: report[key] for key in costs}


def test_the_dashboard_names_what_is_logged(tracked_run: tuple[Path, dict[str, Any]]) -> None:
    keys = {key for row in history(file_of(tracked_run[0])) for key in row}
    keys |= {key.rsplit("/", 1)[0] for key in keys}  # media have several entries each
    for section in specification(read_runs([tracked_run[0]]), ["x"])["sections"]:
        for panel in section["panels"]:
            assert panel.get("x", AXIS) in keys
            assert {*panel.get("y", ()), *panel.get("media_keys", ())} <= keys
            assert panel.get("table_name", "R/psnr_y") in keys


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_as_the_same_run(
    tracked_run: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And tracking changes no number."""
    plugins = [*RRGNET, STRIKE]
    with pytest.raises(SystemError):
        start(tmp_path / "run", tracking="wandb", plugins=plugins)
    before = file_of(tmp_path / "run")
    found = records(before)
    assert one(found, "exit").exit_code == 1
    monkeypatch.setattr(Strike, "armed", False)
    resumed = start(tmp_path / "run", tracking="wandb", plugins=plugins)
    after = file_of(tmp_path / "run")
    assert after != before and one(records(after), "run").run_id == one(found, "run").run_id
    for key in (*LOSSES, "forgetting/psnr_y"):
        assert dict(logged(tmp_path / "run", key)) == dict(logged(tracked_run[0], key))
    assert len(logged(tmp_path / "run", "train/loss")) == 15
    assert len(logged(tmp_path / "run", "system/steps_per_second")) == 3
    untracked = start(tmp_path / "untracked", tracking="none", plugins=plugins)
    assert numbers(resumed) == numbers(untracked)
    assert resumed["metrics"] == tracked_run[1]["metrics"], "of the same method without what stopped it"
    assert same(weights(tmp_path / "run"), weights(tmp_path / "untracked"))


def test_names_are_escaped_wherever_a_page_could_show_them(tmp_path: Path) -> None:
    tracker = make_tracker("wandb", tmp_path, {"method": EVIL, "seed": 0})
    tracker.log_matrices({"psnr_y": Matrix.before((EVIL, "b"), (1.0, 2.0)).after((2.0, 3.0))}, 1)
    tracker.log_pictures(EVIL, {"rainy": Image.new("RGB", (4, 4))}, 1)
    tracker.close(True)
    for row in history(file_of(tmp_path)):
        assert "<" not in str(row) and "/script>" not in str(row)
    [(_, path)] = logged(tmp_path, "R/psnr_y/path")
    assert "<" not in (file_of(tmp_path) / "files" / path).read_text()
    assert logged(tmp_path, "psnr_y/&lt;script&gt;alert(&#x27;a&#x27;)&lt;/script&gt;") == [(1, 2.0)]


def test_two_runs_of_a_process_are_two_runs(tmp_path: Path) -> None:
    for name in ("first", "second"):
        tracker = make_tracker("wandb", tmp_path / name, {"method": name, "seed": 0})
        (tmp_path / name).mkdir()
        tracker.log_metrics({"loss": 1.0}, 1)
        tracker.finalize("success")  # Lightning, at the end of every fit
        tracker.log_metrics({"loss": 2.0}, 2)
        tracker.close(True)
        assert logged(tmp_path / name, "loss") == [(1, 1.0), (2, 2.0)]
        assert "WANDB_DATA_DIR" not in os.environ
    assert one(records(file_of(tmp_path / "first")), "run") != one(records(file_of(tmp_path / "second")), "run")


def test_disabled_is_a_table_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    tracker = make_tracker("wandb", tmp_path, {"method": "m", "seed": 0})
    assert isinstance(tracker, TableTracker) and not isinstance(tracker, WandbTracker)


@pytest.mark.slow
def test_a_killed_run_is_sent_whole_by_wandb_sync(tmp_path: Path) -> None:
    """SIGKILL leaves W&B's file torn; what goes on leaves one file, and a server gets every step once."""
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(settings(tracking="wandb")))
    out = tmp_path / "killed"
    program = [*RAINCHECK, "run", "--trust", "--config", str(tmp_path / "c.yaml"), "--out", str(out)]
    process = subprocess.Popen(program, env=environment(), stdout=subprocess.DEVNULL)
    while not (out / "checkpoints" / "last.ckpt").exists():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert finish(program).returncode == 0
    with serving() as (address, server):
        command = [sys.executable, "-m", "wandb", "sync", str(out / "wandb")]
        sent = finish(command, env=environment(WANDB_BASE_URL=address, WANDB_API_KEY=KEY))
        assert sent.returncode == 0, sent.stderr
    assert [row["iteration"] for row in server.history if "train/loss" in row] == list(range(1, 16))
    assert [row["_step"] for row in server.history] == list(range(len(server.history)))
    identity = (out / "wandb" / "id.txt").read_text()
    assert {f"weights-{identity}", f"report-{identity}"} <= set(server.artifacts)
