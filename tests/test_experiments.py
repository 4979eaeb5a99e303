"""Every shipped configuration runs: a new file is tested by existing."""

import re
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonargparse import Namespace

from fakedata import WRITE
from raincheck.ablation.grid import read_grid
from raincheck.ablation.plan import Planned, plan
from raincheck.ablation.record import Record
from raincheck.config import build, dump, parse
from raincheck.errors import InputError
from raincheck.networks import load_network
from raincheck.plugins import Distillation
from raincheck.plugins.memory import ClipMemory
from raincheck.report import write_report
from raincheck.run import run
from raincheck.sweeping.command import run_command, words
from raincheck.sweeping.search import propose
from raincheck.sweeping.space import arguments
from raincheck.sweeping.wandb_file import read_sweep

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "src" / "raincheck" / "demo"
DATA = ROOT.parent / "shared" / "data"
METHODS = [*sorted((ROOT / "experiments" / "methods").glob("*.yaml")), *sorted(DEMO.glob("[!s]*.yaml"))]
STREAMS = [*sorted((ROOT / "experiments" / "streams").glob("*.yaml")), ROOT / "experiments" / "weights.yaml"]
QUICK = {"demo/rrgnet", "ablations/clips", "tuning/rrgnet"}  # one of each kind; each takes some seconds
TINY = ["--stream.steps", "2", "--batch", "2", "--stream.crop", "32", "--network.init_args.width", "4"]


def files(paths: list[Path]) -> list[Any]:
    """Parameters, of which those that are not `QUICK` are slow."""
    names = {f"{path.parent.name}/{path.stem}": path for path in paths}
    return [pytest.param(path, id=i, marks=[] if i in QUICK else pytest.mark.slow) for i, path in names.items()]


@pytest.mark.parametrize("method", files(METHODS))
def test_a_method_learns_the_demonstrations_stream(method: Path, tmp_path: Path) -> None:
    report = run(parse(["--config", str(DEMO / "stream.yaml"), "--config", str(method), *TINY]), tmp_path / "run")
    assert report["method"] == method.stem
    assert report["metrics"]["psnr_y"]["average"] is not None


PUBLISHED = ROOT / "experiments" / "streams" / "paper_order.yaml"


def test_the_papers_order_needs_only_a_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("nturain", "rainsynlight25", "rainsyncomplex25"):
        WRITE[name](tmp_path / "data" / name, most=1)
    options = [*TINY, "--stream.crop", "12", "--stream.root", "data"]  # relative, so that a root counted twice is seen
    report = run(parse(["--config", str(PUBLISHED), *options]), tmp_path / "run")
    assert report["tasks"] == ["RainSynLight25-A", "RainSynComplex25-A", "NTURain"]
    assert report["metrics"]["psnr_y"]["average"] is not None
    assert "RainSynLight25, form A" in report["data"]["RainSynLight25-A"]
    write_report([tmp_path / "run"], tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "<li>NTURain: test: 1 videos, where 8 were published</li>" in page


def test_the_papers_order_without_data_is_one_sentence(tmp_path: Path) -> None:
    config = build(parse(["--config", str(PUBLISHED), "--stream.root", str(tmp_path)]))
    with pytest.raises(InputError, match=f"^no RainSynLight25 in {tmp_path} or up to 2 folders below: "):
        config.stream.tasks[0].task(0)


@pytest.mark.parametrize("stream", [path for path in STREAMS if path != PUBLISHED], ids=lambda path: path.stem)
def test_a_stream_is_there_to_be_learned(stream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = build(parse(["--config", str(stream)]))
    if not DATA.is_dir():
        pytest.skip("the clips that the streams name are not beside the project")
    tasks = [source.task(0) for source in config.stream.tasks]
    assert all(task.train and task.test for task in tasks)


EXPERIMENTS = ROOT / "experiments"
GRIDS = [*sorted((EXPERIMENTS / "ablations").glob("*.yaml")), *sorted((EXPERIMENTS / "tuning").glob("*.yaml"))]


@cache  # parsing takes a tenth of a second a cell
def planned(grid: Path) -> list[Planned]:
    return plan(read_grid(grid), grid, Path("out"), trust=False)


@pytest.mark.parametrize("grid", files(GRIDS))
def test_a_grids_cells_are_configurations_that_can_be_built(grid: Path) -> None:
    assert len({one.identity for one in planned(grid)}) == len(planned(grid))
    for config in {one.cell: one.config for one in planned(grid)}.values():
        build(config)
    opening = grid.read_text().split("\nbase:")[0]
    assert all(re.search(rf"# {word}:[ \t]+\S", opening) for word in ("Command", "Time", "Expected"))


@pytest.mark.slow
def test_methods_are_tuned_alike_and_on_no_test_clip() -> None:
    """The same steps and as many trials for all, on clips that are neither learned from nor tested on."""
    streams = [parse(["--config", str(EXPERIMENTS / "streams" / f"{name}.yaml")]) for name in ("study", "validation")]
    clips = [[task.init_args.pop("test") for task in config.stream.tasks] for config in streams]
    assert not {name.split("[")[0] for part in clips[0] for name in part} & {
        name.split("[")[0] for part in clips[1] for name in part
    }
    assert dump(streams[0]) == dump(streams[1])
    grids = [grid for grid in GRIDS if grid.parent.name == "tuning"]
    assert {len(planned(grid)) for grid in grids} == {12}
    assert len({(one.config.stream.steps, one.config.batch) for grid in grids for one in planned(grid)}) == 1


@pytest.mark.slow
def test_tuned_settings_are_the_winners_of_the_trials() -> None:
    tuning = runpy.run_path(str(EXPERIMENTS / "tuning.py"))
    record = Record(tuning["RECORD"])
    for grid in (EXPERIMENTS / "tuning").glob("*.yaml"):
        found, _ = tuning["trials"](grid, record)
        assert tuning["winner"](grid, found) == (EXPERIMENTS / "tuned" / grid.name).read_text()


def test_what_the_study_compares_keeps_no_more_bytes_than_rrgnet() -> None:
    """Stored outputs and the old model's weights counted, as report.json counts them."""
    grid = EXPERIMENTS / "ablations" / "study.yaml"
    kept = {}
    for one in planned(grid)[: len(read_grid(grid).cells)]:
        config = build(one.config)
        budget = sum(plugin.budget for plugin in config.plugins if isinstance(plugin, ClipMemory))
        old = sum(p.nbytes for p in config.network.parameters())
        distils = any(isinstance(p, Distillation) and p.target == "teacher" for p in config.plugins)
        distils |= any(getattr(p, "mode", None) == "inputs" for p in config.plugins)
        kept[one.cell] = budget + old * distils
    reviewing = "rrgnet", "replay", "der", "replay_same_loss", "replay_average", "kr", "agem", "gem"
    assert len({kept[name] for name in reviewing}) == 1


@pytest.mark.parametrize("file", sorted((ROOT / "experiments" / "sweeps").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_sweeps_first_trial_is_a_configuration(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    sweep = read_sweep(file)
    point = propose(sweep, [])
    assert point is not None
    command = run_command(words(sweep.command, sweep.program, arguments(sweep.parameters, point), tmp_path / "json"))
    build(command.config(trust=False))
    assert "--out" in yaml.safe_load(file.read_text())["command"]  # which wandb's agent needs
    assert all(re.search(rf"# {word}:[ \t]+\S", file.read_text()) for word in ("Command", "Time", "Expected"))


PASSES = (
    "weights",
    "weights_again",
    "weights_third",
    "weights_fourth",
    "weights_fifth",
    "weights_sixth",
    "weights_seventh",
)
SMALL = ("weights_small", "weights_small_again", "weights_small_third", "weights_small_fourth")
TRIED = ("weights_eighth", "weights_small_fifth")  # which do not ship


def test_every_pass_is_one_of_these() -> None:
    assert {path.stem for path in (ROOT / "experiments").glob("weights*.yaml")} == {*PASSES, *SMALL, *TRIED}


def test_the_passes_of_the_weights_learn_the_same_tasks_each_from_the_one_before() -> None:
    files = [ROOT / "experiments" / f"{name}.yaml" for name in PASSES]
    configs = [parse([f"--config={file}" for file in files[: count + 1]]) for count in range(len(files))]
    before = [*PASSES[:4], "weights_mean", "weights_mean_again"]
    assert [config.weights for config in configs] == [None, *(f"runs/{name}" for name in before)]
    for config in configs:
        for task, first in zip(config.stream.tasks, configs[0].stream.tasks, strict=True):
            ours, theirs = ({**vars(one.init_args)} for one in (task, first))
            for what in ("variety", "speed"):
                ours.pop(what), theirs.pop(what)
            if config is configs[-1] and task.init_args.name in ("lines", "strokes"):
                theirs["rain"] = [*theirs["rain"], "drops"]
            assert ours == theirs
    written = re.findall(r"--out runs/(weights\w*)", (ROOT / "Makefile").read_text())
    assert written == [
        *PASSES[:5],
        *("weights_mean", PASSES[5], "weights_mean_again", PASSES[6], "weights_mean_seventh"),
        *SMALL,
        "weights_small_scores",
    ]


def recipe(*names: str) -> Namespace:
    return parse([f"--config={ROOT / 'experiments' / name}.yaml" for name in names])


def test_the_passes_that_do_not_ship_go_on_from_what_does() -> None:
    seventh = (*PASSES[:4], *PASSES[5:])
    large, small = recipe(*seventh, TRIED[0]), recipe(*seventh, TRIED[0], SMALL[2], TRIED[1])
    assert large.weights == "rrgnet" and small.weights == "rrgnet-small"
    assert large.stream.tasks == small.stream.tasks
    for task, before in zip(large.stream.tasks, recipe(*seventh).stream.tasks, strict=True):
        assert vars(task.init_args) == {**vars(before.init_args), "speed": 14.0}


def test_the_small_weights_are_learned_from_the_same_tasks() -> None:
    sixth = (*PASSES[:4], PASSES[5])
    first, again = recipe(*PASSES[:3], SMALL[0]), recipe(*PASSES[:4], SMALL[1])
    third, fourth = recipe(*sixth, SMALL[2]), recipe(*sixth, *SMALL[2:])
    assert first.stream.tasks == again.stream.tasks == recipe(*PASSES[:3]).stream.tasks
    assert third.stream.tasks == fourth.stream.tasks == recipe(*sixth).stream.tasks
    assert third.seed != fourth.seed  # other clips
    passes = first, again, third, fourth
    assert [one.weights for one in passes] == [None, *(f"runs/{name}" for name in SMALL[:3])]
    for one in passes:
        assert build(one).network.arguments == load_network("rrgnet-small").arguments
