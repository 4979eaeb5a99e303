"""run(): a report that can be repeated, a run that can be killed."""

import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch.utils.data import get_worker_info

from killing import KILL
from program import RAINCHECK, environment
from raincheck import checkpoint
from raincheck.config import build, parse
from raincheck.errors import ConfigError, DivergenceError, InputError, OutputError
from raincheck.evaluation.costs import COSTS
from raincheck.files import locked
from raincheck.fingerprint import fingerprints
from raincheck.networks import RRGNet, load_network
from raincheck.plugins import BestWeights, CosineSchedule
from raincheck.run import run
from raincheck.running.assembly import make_strategy, try_out
from raincheck.running.outcome import kept_bytes
from raincheck.tracking.base import Tracker
from raincheck.tracking.origin import commit
from tinytasks import KINDS, Strike, TinyVideo, same

RRGNET = [
    {"class_path": "raincheck.plugins.CosineSchedule"},
    {"class_path": "raincheck.plugins.RainReview", "init_args": {"budget": 40000, "batch": 2}},
    {"class_path": "raincheck.plugins.Distillation", "init_args": {"review": 0.5, "new": 0.1}},
    {"class_path": "raincheck.plugins.EWC", "init_args": {"ewc_lambda": 1.0, "clips": 8}},
]
STRIKE = {"class_path": "tinytasks.Strike"}


def settings(plugins: list[dict[str, Any]] = RRGNET, **changes: Any) -> dict[str, Any]:
    tasks = [{"class_path": "tinytasks.TinyRain", "init_args": {"kind": kind}} for kind in KINDS]
    network = {"class_path": "raincheck.networks.RRGNet", "init_args": {"window": 3, "width": 4}}
    return {
        "stream": {"tasks": tasks, "crop": 16, "steps": 5, "learn": changes.pop("learn", "in_turn")},
        "network": network,
        "plugins": plugins,
        "method": "tiny",
        "batch": 4,
        "workers": 0,  # on clips so small, to start one takes as long as to learn
        **changes,
    }


def start(out: Path, *options: str, **changes: Any) -> dict[str, Any]:
    config = out.with_name(f"{out.name}.yaml")
    config.write_text(yaml.safe_dump(settings(**changes)))
    return run(parse(["--config", str(config), *options], trust=True), out)


def numbers(report: dict[str, Any]) -> dict[str, Any]:
    """What must not differ between two runs: all but the time, and what says that one had a plugin to stop it.

    Nor the commit, which may be another by the end of a long test.
    """
    return {key: value for key, value in report.items() if key not in ("train_seconds", "date", "setting", "commit")}


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_network(out).state_dict()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    return out, start(out)


@pytest.fixture
def armed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Strike, "armed", True)
    yield


def test_report(finished: tuple[Path, dict[str, Any]]) -> None:
    out, report = finished
    assert json.loads((out / "report.json").read_text()) == report
    assert (report["method"], report["seed"], report["tasks"]) == ("tiny", 0, list(KINDS))
    assert list(report["metrics"])[:5] == ["psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "temporal_y"]
    for scores in report["metrics"].values():
        assert set(scores) == {"R", "average", "bwt", "forgetting", "fwt"}
        assert [len(row) for row in scores["R"]] == [3, 3, 3, 3]
        assert all(isinstance(score, float) for row in scores["R"] for score in row)
    assert report["parameters"] == sum(p.numel() for p in RRGNet(3, 4).parameters())
    assert 0 < report["review_bytes"] <= 40000 and report["review_bytes"] % (12 * 16 * 16) == 0
    # The teacher, and importances and weights of EWC.
    assert report["memory_bytes"] == report["review_bytes"] + (1 + 2) * 4 * report["parameters"]
    assert all(report[cost] is not None for cost in COSTS)
    assert report["train_seconds"] > 0 and report["threads"] == torch.get_num_threads()
    # 15 steps of 4 new clips. At 10 of them the network sees 2 reviewed clips, the teacher these and, for the other
    # term, 4 new ones; at the end of each task EWC looks at 8 clips.
    assert report["extra_passes"] == pytest.approx((10 * (2 + 2 + 4) + 3 * 8) / 60, abs=1e-3)
    assert (report["learn"], report["setting"]["stream.steps"], report["setting"]["batch"]) == ("in_turn", 5, 4)
    assert {key for key in report["setting"] if "." in key and key.split(".")[0] in ("data", "files")} == {
        f"{what}.{kind}" for what in ("data", "files") for kind in KINDS
    }
    assert report["setting"]["network.init_args.width"] == 4 and "cores" in report["machine"]
    assert report["commit"] == commit() and set(report["versions"]) == set(checkpoint.versions())
    assert {path.name for path in out.iterdir() if not path.name.startswith(".")} == {
        *("report.json", "config.yaml", "weights.safetensors", "checkpoints", "frames", "logs")
    }
    whats = ("rainy", "derained", "clean")
    frames = {f"{kind}_{n:05d}_{what}.png" for kind in KINDS for n in range(7) for what in whats}
    assert {path.name for path in (out / "frames").iterdir()} == frames
    network = load_network(out)
    assert type(network) is RRGNet and network.arguments["width"] == 4


def test_the_first_row_is_the_rainy_input(finished: tuple[Path, dict[str, Any]]) -> None:
    """An untrained RRGNet subtracts nothing."""
    from raincheck.metrics import METRICS
    from tinytasks import tiny_task

    for name in ("psnr_y", "ssim_rgb"):
        for kind, score in zip(KINDS, finished[1]["metrics"][name]["R"][0], strict=True):
            videos = [video.read(0, len(video)) for video in tiny_task(kind).test]
            means = [METRICS[name].score(rainy, clean).mean() for rainy, clean in videos]
            assert score == pytest.approx(float(sum(means) / len(means)), rel=1e-9)


def test_terms_and_losses_are_logged(finished: tuple[Path, dict[str, Any]]) -> None:
    header = (finished[0] / "logs" / "metrics.csv").read_text().splitlines()[0].split(",")
    assert {"train/loss", "train/data", "train/ewc", "train/distillation/review", "train/distillation/new"} <= {*header}


def test_repeating_from_its_config_gives_identical_numbers(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out, report = finished
    again = run(parse(["--config", str(out / "config.yaml")], trust=True), tmp_path / "again")
    assert numbers(again) == numbers(report) and same(weights(tmp_path / "again"), weights(out))
    assert (tmp_path / "again" / "config.yaml").read_text() == (out / "config.yaml").read_text()


def test_workers_change_no_number(finished: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, report = finished
    helped = start(tmp_path / "helped", "--workers", "1")
    assert numbers(helped) == numbers(report) and same(weights(tmp_path / "helped"), weights(out))


def test_a_worker_that_is_killed_is_one_sentence_and_the_run_goes_on(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample, out = TinyVideo.sample, tmp_path / "run"

    def fatal(self: TinyVideo, *args: Any) -> Any:
        if get_worker_info() and self.name.startswith(KINDS[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return sample(self, *args)

    with monkeypatch.context() as broken:
        broken.setattr(TinyVideo, "sample", fatal)
        with pytest.raises(ConfigError, match=r"^a process that prepared clips was killed, perhaps for want of memory"):
            start(out, "--workers", "1")
    report = start(out, "--workers", "0")
    assert numbers(report) == numbers(finished[1]) and same(weights(out), weights(finished[0]))


def test_the_seed_of_the_run_is_that_of_plugins_that_leave_it_to_the_run(tmp_path: Path) -> None:
    path = {name: f"raincheck.plugins.{name}" for name in ("EWC", "MAS", "PIGWM", "RainReview")}
    own = [{"class_path": path["MAS"], "init_args": {"seed": 3}}]
    (tmp_path / "run.yaml").write_text(
        yaml.safe_dump(settings(plugins=[{"class_path": one} for one in path.values()] + own))
    )
    config = build(parse(["--config", str(tmp_path / "run.yaml"), "--seed", "7"], trust=True))
    make_strategy(config, tmp_path, Tracker())
    assert [plugin.seed for plugin in config.plugins] == [7, 7, 7, 7, 3]


@pytest.mark.slow
def test_another_seed_is_another_run(finished: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    other = start(tmp_path / "other", "--seed", "1")
    assert other["metrics"] != finished[1]["metrics"]


@pytest.mark.parametrize(
    "experience", [pytest.param(0, marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow)]
)
def test_a_run_that_was_stopped_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, experience: int
) -> None:
    strike = {**STRIKE, "init_args": {"experience": experience}}
    monkeypatch.setattr(Strike, "armed", True)
    with pytest.raises(SystemError):
        start(tmp_path / "stopped", plugins=[*RRGNET, strike])
    assert not (tmp_path / "stopped" / "report.json").exists()
    assert (tmp_path / "stopped" / "checkpoints" / "last.ckpt").exists() == (experience > 0)
    monkeypatch.setattr(Strike, "armed", False)
    resumed = start(tmp_path / "stopped", plugins=[*RRGNET, strike])
    whole = start(tmp_path / "whole", plugins=[*RRGNET, strike])
    assert numbers(resumed) == numbers(whole) and same(weights(tmp_path / "stopped"), weights(tmp_path / "whole"))


def test_a_run_that_was_told_to_stop_after_a_task_ends_with_the_same_bits(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    config = parse(["--config", str(finished[0] / "config.yaml")], trust=True)
    whole = finished[1]["metrics"]["psnr_y"]["R"]
    for until in (1, 1, 2):
        so_far = run(config, tmp_path / "run", until)
        assert json.loads((tmp_path / "run" / "so_far.json").read_text()) == so_far
        assert so_far["metrics"]["psnr_y"]["R"] == [*whole[: until + 1], *[[None] * 3] * (3 - until)]
        assert not (tmp_path / "run" / "report.json").exists()
    assert numbers(run(config, tmp_path / "run", 5)) == numbers(finished[1])
    assert same(weights(tmp_path / "run"), weights(finished[0]))
    assert not (tmp_path / "run" / "so_far.json").exists()


@pytest.mark.slow
def test_a_run_begins_anew_if_a_plugin_cannot_be_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stock = {"class_path": "avalanche.training.plugins.ReplayPlugin", "init_args": {"mem_size": 4}}
    monkeypatch.setattr(Strike, "armed", True)
    with pytest.raises(SystemError):
        start(tmp_path / "stopped", plugins=[stock, STRIKE])
    said = "raincheck: notice: ReplayPlugin can't save what it remembers, so nothing is kept in "
    assert (error := capsys.readouterr().err).startswith(said) and error.count("\n") == 1
    assert not list((tmp_path / "stopped" / "checkpoints").glob("*.ckpt"))
    monkeypatch.setattr(Strike, "armed", False)
    resumed = start(tmp_path / "stopped", plugins=[stock, STRIKE])
    assert numbers(resumed) == numbers(start(tmp_path / "whole", plugins=[stock, STRIKE]))
    assert same(weights(tmp_path / "stopped"), weights(tmp_path / "whole"))


def test_a_run_stopped_after_its_last_task_only_reports(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import raincheck.run

    def fails(*arguments: Any) -> None:
        raise SystemError

    with monkeypatch.context() as patch, pytest.raises(SystemError):
        patch.setattr(raincheck.run, "conclude", fails)
        start(tmp_path / "run")
    monkeypatch.setattr("raincheck.strategy.LightningStrategy.train", fails)
    assert numbers(start(tmp_path / "run")) == numbers(finished[1])
    assert same(weights(tmp_path / "run"), weights(finished[0]))


PLACES = {  # how often a run of three tasks of five steps comes there
    "before_training_iteration": 15,
    "before_forward": 15,
    "after_backward": 15,
    "after_update": 15,
    "after_training_iteration": 15,
    "before_training_exp": 3,
    "after_training_exp": 3,
    "fisher": 6,
    "fill": 24,
    "write": 15,
    "before_eval_iteration": 33,
    "after_eval": 4,
}


def command(out: Path, save_every: str = "0", **variables: str) -> int:
    """`raincheck run` in a process of its own; its exit code."""
    out.with_suffix(".yaml").write_text(yaml.safe_dump(settings([*RRGNET, {"class_path": "killing.Killer"}])))
    options = ["--trust", "--config", str(out.with_suffix(".yaml")), "--out", str(out), "--save_every", save_every]
    return subprocess.run(
        [*RAINCHECK, "run", *options],
        # The same bits take as many threads as the run in this process has.
        env=environment(OMP_NUM_THREADS=str(torch.get_num_threads()), **variables),
        stdout=subprocess.DEVNULL,
        check=False,
    ).returncode


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a_run_that_is_killed_everywhere_ends_with_the_same_bits(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path, seed: int
) -> None:
    """One run, killed at a random visit to each place, in random order, and started again each time."""
    draw = random.Random(seed)
    out, kills = tmp_path / "killed", 0
    for place in draw.sample(sorted(PLACES), len(PLACES)):
        # A run that goes on comes to a place less often than a whole one: where it is late, an early visit.
        visit = draw.randint(1, PLACES[place] if kills == 0 else 3)
        code = command(out, **{KILL: f"{place}:{visit}:SIGKILL"})
        kills += code == -signal.SIGKILL
        assert code in (0, -signal.SIGKILL)
    assert kills >= 6
    assert command(out) == 0
    assert numbers(json.loads((out / "report.json").read_text())) == numbers(finished[1])
    assert same(weights(out), weights(finished[0]))
    assert {path.name for path in (out / "checkpoints").iterdir()} == {"last.ckpt", "data.json"}


@pytest.mark.slow
@pytest.mark.parametrize("orders", ["after_backward:7:SIGUSR1,before_forward:9:SIGKILL", "fisher:2:SIGUSR1"])
def test_a_slurm_job_is_requeued_and_ends_with_the_same_bits(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path, orders: str
) -> None:
    """SLURM's warning comes in the middle of a step, and while no Trainer is there to hear it."""
    out, job = tmp_path / "job", tmp_path / "bin"
    job.mkdir()
    (job / "scontrol").write_text(f'#!/bin/sh\necho "$@" >> {job / "said"}\n')
    (job / "scontrol").chmod(0o755)
    slurm = {"SLURM_JOB_ID": "4242", "SLURM_JOB_NAME": "rain", "SLURM_NTASKS": "1", "SLURM_NTASKS_PER_NODE": "1"}
    slurm |= {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "PATH": f"{job}:{os.environ['PATH']}"}
    code = command(out, "3600", **slurm, **{KILL: orders})
    assert (job / "said").read_text() == "requeue 4242\n"
    if "SIGKILL" in orders:
        assert code == -signal.SIGKILL
        state = checkpoint.load(out / "checkpoints" / "experience-1.ckpt")
        assert state is not None and state["avalanche"]["clock"]["train_exp_iterations"] == 2
        assert command(out, "3600", **slurm) == 0
    assert numbers(json.loads((out / "report.json").read_text())) == numbers(finished[1])
    assert same(weights(out), weights(finished[0]))
    assert not list(tmp_path.rglob("hpc_ckpt*"))


@pytest.mark.parametrize("file", [1, *(pytest.param(file, marks=pytest.mark.slow) for file in (3, 7, 8))])
def test_a_full_disk_ends_a_run_that_can_go_on(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: int
) -> None:
    save, files = torch.save, itertools.count(1)

    def save_to_full(state: Any, path: Path) -> None:
        save(state, path)
        if next(files) == file:
            os.truncate(path, 100)
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OutputError) as error:
        patch.setattr(torch, "save", save_to_full)
        start(tmp_path / "run", "--save_every", "0")
    full = tmp_path / "run" / "checkpoints"
    assert re.fullmatch(
        rf"cannot write {full}/[\w-]+\.ckpt: No space left on device; choose a writable place with free space",
        str(error.value),
    )
    assert all(checkpoint.load(path) for path in full.glob("*.ckpt"))
    assert not list(full.glob(".*"))
    assert numbers(start(tmp_path / "run")) == numbers(finished[1])
    assert same(weights(tmp_path / "run"), weights(finished[0]))


def test_a_run_does_not_go_on_with_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    footage = tmp_path / "clip.mp4"
    footage.write_bytes(b"then")
    monkeypatch.setattr("raincheck.running.claim.fingerprints", lambda tasks: fingerprints([*tasks, footage]))
    monkeypatch.setattr(Strike, "armed", True)
    with pytest.raises(SystemError):
        start(tmp_path / "run", plugins=[STRIKE])
    monkeypatch.setattr(Strike, "armed", False)
    footage.write_bytes(b"now")
    with pytest.raises(ConfigError) as error:
        start(tmp_path / "run", plugins=[STRIKE])
    assert str(error.value) == (
        f"{tmp_path / 'run'} was begun with other data: {footage} changed since; choose another --out"
    )
    footage.write_bytes(b"then")
    report = start(tmp_path / "run", plugins=[STRIKE])
    footage.write_bytes(b"now")  # nor does it pass for a run on these
    with pytest.raises(ConfigError, match=f"begun with other data: {footage} changed since; choose another --out$"):
        start(tmp_path / "run", plugins=[STRIKE])
    monkeypatch.setattr("raincheck.running.claim.fingerprints", fingerprints)
    footage.unlink()  # a finished run outlives its data
    assert start(tmp_path / "run", plugins=[STRIKE]) == report


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["64-true", "bf16-true"])
def test_a_run_in_another_precision_ends_with_pictures_and_weights(tmp_path: Path, precision: str) -> None:
    report = start(tmp_path / "run", plugins=[], trainer={"precision": precision})
    assert report["metrics"]["psnr_y"]["average"] > 10 and any((tmp_path / "run" / "frames").rglob("*.png"))
    assert weights(tmp_path / "run").keys() == RRGNet(3, 4).state_dict().keys()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"{}", b"\xff"])
@pytest.mark.parametrize("name", ["report.json", "config.yaml", "checkpoints/data.json"])
def test_a_damaged_file_of_a_run_is_named(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path, name: str, content: bytes
) -> None:
    out = tmp_path / "run"
    shutil.copytree(finished[0], out)
    (out / "report.json").unlink()
    (out / name).write_bytes(content)
    sentence = "is damaged; put it back as the run wrote it, or choose another --out$"
    if content == b"{}" and name != "report.json":  # mappings that hold nothing; the data have no files
        content, sentence = b'{"a": "b"}', "with other (settings|data): .*; choose another --out$"
        (out / name).write_bytes(content)
    with pytest.raises(ConfigError, match=sentence):
        start(out)
    assert (out / name).read_bytes() == content and any((out / "checkpoints").glob("*.ckpt"))


def test_a_finished_run_is_not_run_again(
    finished: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, report = finished
    monkeypatch.setattr("raincheck.run.build", None)
    assert run(parse(["--config", str(out / "config.yaml")], trust=True), out) == report


def test_another_configuration_in_the_same_folder_names_what_differs(finished: tuple[Path, dict[str, Any]]) -> None:
    out = finished[0]
    with pytest.raises(ConfigError) as error:
        options = ["--batch", "5", "--network.init_args.width", "6", "--workers", "1"]
        run(parse(["--config", str(out / "config.yaml"), *options], trust=True), out)
    assert str(error.value) == (
        f"{out} holds a run with other settings: batch (4 then, 5 now), network.init_args.width (4 then, 6 now); "
        "choose another --out"
    )


def test_a_second_process_is_refused(finished: tuple[Path, dict[str, Any]]) -> None:
    with locked(finished[0]), pytest.raises(OutputError, match=r"^another process is running in "):
        start(finished[0])


def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("important")
    with pytest.raises(OutputError) as error:
        start(out)
    assert str(error.value) == f"{out} is not empty and holds no run; choose another --out"
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_joint_has_rows_0_and_n_only(tmp_path: Path) -> None:
    report = start(tmp_path / "joint", plugins=[], learn="joint")
    for scores in report["metrics"].values():
        assert [row.count(None) for row in scores["R"]] == [0, 3, 3, 0]
        assert scores["bwt"] is None and scores["average"] is not None
    assert (report["review_bytes"], report["learn"], report["extra_passes"]) == (0, "joint", 0)


def test_memory_that_a_foreign_plugin_keeps_is_unknown(tmp_path: Path) -> None:
    stock = {"class_path": "avalanche.training.plugins.SynapticIntelligencePlugin", "init_args": {"si_lambda": 0.1}}
    assert start(tmp_path / "si", plugins=[stock])["memory_bytes"] is None


def test_memory_is_told_or_measured() -> None:
    """Of a plugin of somebody else's, by its state."""

    class Told:
        bytes = 5

    class Measured:
        def state_dict(self) -> dict[str, Any]:
            return {"importance": {"w": torch.zeros(3)}, "tasks": [torch.zeros(2, dtype=torch.uint8), "name"]}

    assert kept_bytes([Told(), Measured(), CosineSchedule()]) == 5 + 12 + 2
    assert kept_bytes([Told(), object()]) is None


def test_individual_has_row_0_and_the_diagonal_of_experts(
    tmp_path: Path, finished: tuple[Path, dict[str, Any]]
) -> None:
    """The first expert is what every method learns first; an expert for a later task does not know the first."""
    schedule = [{"class_path": "raincheck.plugins.CosineSchedule"}]
    report, plain = (start(tmp_path / learn, plugins=schedule, learn=learn) for learn in ("individual", "in_turn"))
    for name, scores in report["metrics"].items():
        rows, others = scores["R"], plain["metrics"][name]["R"]
        assert rows[0] == others[0] and rows[1][0] == others[1][0]
        assert [[score is None for score in row] for row in rows[1:]] == [[i != j for j in range(3)] for i in range(3)]
        assert scores["average"] == pytest.approx(sum(rows[i + 1][i] for i in range(3)) / 3)
        assert scores["forgetting"] is None and rows[2][1] != others[2][1]
    assert report["parameters"] == 3 * plain["parameters"]
    frames = [tmp_path / learn / "frames" / f"{KINDS[0]}_00003_derained.png" for learn in ("individual", "in_turn")]
    assert len(list(frames[0].parent.iterdir())) == 3 * 7 * 3 and frames[0].read_bytes() != frames[1].read_bytes()


@pytest.mark.slow
def test_an_expert_is_one_that_learned_its_task_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a stop: the first weights are those of the beginning, not those of the checkpoint."""
    monkeypatch.setattr(Strike, "armed", True)
    with pytest.raises(SystemError):
        start(tmp_path / "stopped", plugins=[STRIKE], learn="individual")
    monkeypatch.setattr(Strike, "armed", False)
    resumed = start(tmp_path / "stopped", plugins=[STRIKE], learn="individual")
    whole = start(tmp_path / "whole", plugins=[STRIKE], learn="individual")
    assert numbers(resumed) == numbers(whole) and same(weights(tmp_path / "stopped"), weights(tmp_path / "whole"))


@pytest.mark.slow
def test_cumulative_begins_as_all_do_and_ends_with_all_data(tmp_path: Path) -> None:
    cumulative, plain = (start(tmp_path / learn, plugins=[], learn=learn) for learn in ("cumulative", "in_turn"))
    rows, others = (report["metrics"]["psnr_y"]["R"] for report in (cumulative, plain))
    assert rows[:2] == others[:2] and rows[2] != others[2] and None not in rows[3]
    assert cumulative["review_bytes"] == 0


MISTAKES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "small budget": (
        {"plugins": [{"class_path": "raincheck.plugins.RainReview", "init_args": {"budget": 9000}}]},
        ConfigError,
        "a review budget of 9000 bytes gives each of 3 tasks 3000 bytes, and one clip takes 3072; raise ",
    ),
    "large crop": ({"stream": {**settings()["stream"], "crop": 33}}, InputError, "veil-"),
    "tracking": ({"tracking": "paper"}, ConfigError, "tracking cannot be 'paper'; choose csv, "),
    "divergence": ({"optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 1e30}}}, DivergenceError, "the"),
    "small crop": (
        {"stream": {**settings()["stream"], "crop": 5}},
        ConfigError,
        "frames of 5x5 are too small for StructureLoss, which needs 6x6 pixels; raise stream.crop, and test_size to ",
    ),
    "no loss": (
        {"loss": {"class_path": "torch.nn.Linear", "init_args": {"in_features": 16, "out_features": 1}}},
        ConfigError,
        "the loss Linear cannot learn from clips: Linear.forward() takes 2 positional arguments but 3 were given; ",
    ),
    "many losses": (
        {"loss": {"class_path": "torch.nn.L1Loss", "init_args": {"reduction": "none"}}},
        ConfigError,
        "the loss L1Loss gives 768 numbers, not one; take their mean",
    ),
    "closure": ({"optimizer": {"class_path": "torch.optim.LBFGS"}}, ConfigError, "the optimizer cannot learn from "),
    "sparse": ({"optimizer": {"class_path": "torch.optim.SparseAdam"}}, ConfigError, "the optimizer cannot learn from"),
    "a trainer without a logger": ({"trainer": {"barebones": True}}, ConfigError, "`Trainer(barebones=True, logger="),
    "no accumulation": (
        {"trainer": {"accumulate_grad_batches": 0}},
        ConfigError,
        "the trainer's accumulate_grad_batches must be 1 or more, not 0",
    ),
    "no TPU": ({"trainer": {"accelerator": "tpu"}}, ConfigError, ""),
    "no weights": ({"network": {"class_path": "raincheck.networks.Identity"}}, ConfigError, ""),
}


def test_trying_out_asks_nothing_of_what_only_gpus_have_and_leaves_no_trace(tmp_path: Path) -> None:
    class Counting(torch.nn.L1Loss):
        calls = 0

        def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return super().forward(output + torch.rand(()), target)

    (tmp_path / "run.yaml").write_text(yaml.safe_dump(settings()))
    config = build(parse(["--config", str(tmp_path / "run.yaml")], trust=True))
    config.loss, config.optimizer = Counting(), partial(torch.optim.Adam, capturable=True)
    before = torch.get_rng_state()
    try_out(config)
    assert config.loss.calls == 0 and torch.equal(torch.get_rng_state(), before)
    del config.network.arguments["width"]  # as of one's own network whose author forgot it
    with pytest.raises(ConfigError, match=r"^weights of RRGNet could not be loaded again \(branches\.0\.bias"):
        try_out(config)


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_leave_nothing_behind(tmp_path: Path, name: str) -> None:
    """So that the corrected configuration can go to the same folder."""
    changes, kind, sentence = MISTAKES[name]
    out = tmp_path / "run"
    with pytest.raises(kind) as error:
        start(out, **{"plugins": [], **changes})
    assert str(error.value).startswith(sentence) and "\n" not in str(error.value)
    assert not out.exists()


def test_a_mistake_found_after_some_steps_leaves_no_best_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    best, out = (
        [{"class_path": "raincheck.plugins.BestWeights", "init_args": {"every": 1, "clips": 1}}],
        tmp_path / "run",
    )

    def mistake(self: BestWeights, strategy: Any, **kwargs: Any) -> None:
        assert (out / "best.safetensors").exists()
        raise ConfigError("too late")

    monkeypatch.setattr(BestWeights, "after_training_exp", mistake)
    with pytest.raises(ConfigError, match="too late"):
        start(out, plugins=best)
    assert not out.exists()


def test_a_mistake_in_an_empty_folder_keeps_the_folder(tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    with pytest.raises(ConfigError):
        start(out, tracking="paper")
    assert list(out.iterdir()) == []


def test_divergence_after_a_task_keeps_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from raincheck.plugins import EWC

    real = EWC.before_backward

    def spoilt(self: EWC, strategy: Any, **kwargs: Any) -> None:
        real(self, strategy, **kwargs)
        if strategy.clock.train_exp_counter == 1:
            strategy.loss = strategy.loss * float("nan")

    with monkeypatch.context() as patch, pytest.raises(DivergenceError, match=r"in experience 1 \(streaks\), step 0;"):
        patch.setattr(EWC, "before_backward", spoilt)
        start(tmp_path / "run")
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").exists()
    assert not (tmp_path / "run" / "report.json").exists()
