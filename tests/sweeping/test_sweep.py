"""A sweep as a whole: trials are ordinary runs, none is run twice, and nothing is lost however it is interrupted."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from raincheck.cli import main
from raincheck.config import dump, parse
from raincheck.errors import ConfigError, OutputError
from raincheck.run import run
from raincheck.running.identity import identity
from raincheck.sweeping import launchers
from raincheck.sweeping.legs import Leg
from raincheck.sweeping.sweep import sweep
from raincheck.sweeping.trials import Trials
from sweepfiles import BASE, METRIC, InProcess, Pretending, sweep_file
from wandbserver import nobody

RANDOM = {"optimizer.init_args.lr": {"min": 0.0, "max": 1.0}}
THREE: dict[str, Any] = {"method": "random", "run_cap": 3, "parameters": RANDOM}
HYPERBAND = {"type": "hyperband", "min_iter": 1, "eta": 3}


def conduct(file: Path, out: Path, launcher: InProcess | None = None) -> InProcess:
    """Sweeps in this process."""
    launcher = launcher or InProcess()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(launchers.LAUNCHERS, "local", launcher.launched)
        sweep(file, out, trust=True)
    return launcher


def trials(out: Path) -> list[dict[str, Any]]:
    """What sweep.json says, without the seconds."""
    listed = json.loads((out / "sweep.json").read_text())["trials"]
    return [{key: value for key, value in trial.items() if key != "seconds"} for trial in listed]


def reports(out: Path) -> dict[str, Any]:
    """What the runs found, without the seconds and the day."""
    found = {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/report.json")}
    passing = ("train_seconds", "date")
    return {name: {k: v for k, v in report.items() if k not in passing} for name, report in found.items()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The file and the folder of a sweep that was run in one go."""
    folder = tmp_path_factory.mktemp("sweep")
    file, out = sweep_file(folder), folder / "out"
    conduct(file, out)
    return file, out


def test_trials_are_ordinary_runs_named_by_their_configurations(finished: tuple[Path, Path], tmp_path: Path) -> None:
    file, out = finished
    config = parse(["--config", str(file.parent / "base.yaml"), "--optimizer.init_args.lr", "0.02"], trust=True)
    name = identity(yaml.safe_load(dump(config)))
    run(config, tmp_path / "by_hand")
    assert len(reports(out)) == 2
    assert reports(out)[name] == reports(tmp_path)["by_hand"]
    assert trials(out)[1]["id"] == name and trials(out)[1]["values"] == {"optimizer.init_args.lr": 0.02}


def test_the_table_and_the_best_configuration(finished: tuple[Path, Path]) -> None:
    _, out = finished
    with (out / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = reports(out)
    for row, lr in zip(rows, ("0.001", "0.02"), strict=True):
        assert (row["state"], row["tasks learned"], row["optimizer.init_args.lr"], row["error"]) == (
            *("finished", "3", lr),
            "",
        )
        assert float(row["average/psnr_y"]) == found[row["id"]]["metrics"]["psnr_y"]["average"]
    best = max(rows, key=lambda row: float(row["average/psnr_y"]))
    again = parse(["--config", str(out / "best.yaml")], trust=True)
    assert identity(yaml.safe_load(dump(again))) == best["id"]


def test_a_finished_sweep_is_not_run_again(
    finished: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = finished
    before = (out / "sweep.json").read_text()
    monkeypatch.setattr("raincheck.run.learn", lambda *_: pytest.fail("a finished run was run again"))
    assert conduct(file, out).legs == []
    assert (out / "sweep.json").read_text() == before
    assert "best: trial" in capsys.readouterr().out


def test_a_run_that_was_finished_before_its_trial_was_recorded_is_not_run_again(
    finished: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (tmp_path / "runs").symlink_to(finished[1])
    out.mkdir()
    for name in reports(finished[1]):
        (out / name).symlink_to(finished[1] / name)
    (out / "sweep.json").write_text((finished[1] / "sweep.json").read_text().replace('"finished"', '"running"'))
    assert conduct(finished[0], out).legs == []
    assert trials(out) == trials(finished[1])


@pytest.mark.slow
def test_a_trial_in_legs_comes_to_the_same_numbers(finished: tuple[Path, Path], tmp_path: Path) -> None:
    file = sweep_file(tmp_path, **yaml.safe_load(finished[0].read_text()), early_terminate=HYPERBAND)
    launcher = conduct(file, tmp_path / "out")
    found, whole = trials(tmp_path / "out"), reports(finished[1])
    border = [whole[trial["id"]]["metrics"]["psnr_y"]["R"][1][0] for trial in found]
    assert [trial["scores"] for trial in found] == [{"1": score} for score in border]
    assert [leg.until for leg in launcher.legs] == ([1, 3, 1] if border[1] < border[0] else [1, 3, 1, 3])
    states = {trial["id"]: (trial["state"], trial["learned"]) for trial in found}
    assert {name for name, (state, _) in states.items() if state == "finished"} == set(reports(tmp_path / "out"))
    assert ("stopped", 1) in states.values() or border[1] >= border[0]
    for name, report in reports(tmp_path / "out").items():
        assert report == whole[name]


def whole(folder: Path, room: int = 1, **content: Any) -> tuple[Path, list[dict[str, Any]]]:
    """The file of a sweep whose runs are only pretended, and what it comes to if nothing disturbs it."""
    file = sweep_file(folder, **content)
    conduct(file, folder / "whole", Pretending(room))
    return file, trials(folder / "whole")


@pytest.mark.parametrize(
    ("method", "cap", "written"),
    [pytest.param("bayes", 6, True, marks=pytest.mark.slow), ("grid", 5, False)],
    ids=["after", "before"],
)
def test_a_sweep_that_is_killed_anywhere_goes_on_to_the_same_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, cap: int, written: bool
) -> None:
    parameters = RANDOM if method == "bayes" else {"optimizer.init_args.lr": {"values": [0.9, 0.2, 0.5, 0.3, 0.1]}}
    content = {"method": method, "run_cap": cap, "parameters": parameters, "early_terminate": HYPERBAND}
    file, expected = whole(tmp_path, **content)
    states = [trial["state"] for trial in expected]
    assert {"finished", "stopped"} <= set(states) and len(states) == cap
    out, write, writes = tmp_path / "killed", Trials.write, [0]

    def killing(self: Trials) -> None:
        if written:
            write(self)
        writes[0] += 1
        if writes[0] % 3 == 0:  # with two between, so that it gets on even if the third is lost
            raise SystemError("killed")
        if not written:
            write(self)

    monkeypatch.setattr(Trials, "write", killing)
    legs, kills = [], 0
    while True:
        launcher = Pretending()
        try:
            conduct(file, out, launcher)
        except SystemError:
            kills += 1
        else:
            break
        finally:
            legs += [(leg.folder.name, leg.until) for leg in launcher.legs]
    assert kills > 3 and trials(out) == expected
    if written:  # nothing was forgotten, so nothing is run twice
        assert len(set(legs)) == len(legs)


def test_trials_that_run_at_once(tmp_path: Path) -> None:
    content = {"method": "random", "run_cap": 5, "parameters": RANDOM}
    file, alone = whole(tmp_path / "alone", **content)
    launcher = Pretending(room=3)
    conduct(file, tmp_path / "crowd", launcher)
    assert trials(tmp_path / "crowd") == alone and len(launcher.legs) == 5


def test_the_same_run_is_run_once(tmp_path: Path) -> None:
    parameters = {"optimizer.init_args.lr": {"values": [0.2, 0.4]}}
    file = sweep_file(tmp_path, method="random", run_cap=5, parameters=parameters)
    launcher = Pretending(room=3)
    conduct(file, tmp_path / "out", launcher)
    found = trials(tmp_path / "out")
    assert len(found) == 5 and len(launcher.legs) == len({trial["id"] for trial in found}) == 2
    for trial in found:
        assert trial["state"] == "finished"
        assert trial["value"] == next(other["value"] for other in found if other["id"] == trial["id"])


def test_trials_that_are_one_run_though_they_should_not_be_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters = {
        "network.init_args.grouped": {"values": [True, False]},
        "optimizer.init_args.lr": {"values": [0.2, 0.4]},
    }
    flags = ["raincheck", "run", "--trust", "--config", str(tmp_path / "base.yaml"), "${args_no_boolean_flags}"]
    conduct(sweep_file(tmp_path, method="grid", parameters=parameters, command=flags), tmp_path / "out", Pretending())
    said = [line for line in capsys.readouterr().out.splitlines() if " is the same run as " in line]
    # W&B leaves out what is false, and this is true by default.
    assert said == [
        f"trial {later} is the same run as trial {first}, so its result is the same, although they have different "
        "values of network.init_args.grouped: the values change nothing, or the sweep's command lacks ${args}, which "
        "passes them on"
        for first, later in ((0, 2), (1, 3))
    ]


def test_a_target_ends_the_sweep(tmp_path: Path) -> None:
    values = {"optimizer.init_args.lr": {"values": [0.9, 0.3, 0.5, 0.4]}}
    metric = {**METRIC, "target": 19.9}
    _, found = whole(tmp_path, method="grid", parameters=values, metric=metric)
    assert [trial["values"]["optimizer.init_args.lr"] for trial in found] == [0.9, 0.3]


def test_more_trials_later(tmp_path: Path) -> None:
    content = {"method": "random", "parameters": RANDOM}
    file, expected = whole(tmp_path, **content, run_cap=3)
    for cap in (1, 3):
        sweep_file(tmp_path, **content, run_cap=cap)
        conduct(file, tmp_path / "grown", Pretending())
    assert trials(tmp_path / "grown") == expected


def test_a_trial_that_fails_is_recorded_and_the_sweep_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters = {"optimizer.init_args.lr": {"values": [-1, 0.01]}, "method": {"values": ["a"]}}
    file = sweep_file(tmp_path, method="grid", parameters=parameters)
    conduct(file, tmp_path / "out")
    failed, good = trials(tmp_path / "out")
    assert (failed["state"], failed["value"], good["state"]) == ("failed", None, "finished")
    assert "Invalid learning rate: -1" in failed["error"] and good["error"] is None
    assert f"trial 0 (run {failed['id']}, optimizer.init_args.lr -1) failed: " in capsys.readouterr().out
    assert (tmp_path / "out" / "best.yaml").read_text() == (tmp_path / "out" / good["id"] / "config.yaml").read_text()
    assert conduct(file, tmp_path / "out").legs == []  # it is not tried again


def test_a_trial_that_failed_can_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"optimizer.init_args.lr": {"values": [0.9, 0.2, 0.4]}}
    file, expected = whole(tmp_path, method="grid", parameters=parameters)

    class Weather(Pretending):
        def run(self, leg: Leg) -> None:
            raise OutputError("no space left")

    fails = Weather()
    with pytest.raises(ConfigError, match=r"^all 3 trials of .* failed, the first with: no space left; see "):
        conduct(file, tmp_path / "out", fails)
    launcher = Pretending()
    monkeypatch.setitem(launchers.LAUNCHERS, "local", launcher.launched)
    sweep(file, tmp_path / "out", trust=True, retry=True)
    assert trials(tmp_path / "out") == expected and len(launcher.legs) == 3


def test_changed_configuration_files_are_refused(tmp_path: Path) -> None:
    file, _ = whole(tmp_path, method="grid", parameters={"optimizer.init_args.lr": {"values": [0.9, 0.2]}})
    (tmp_path / "base.yaml").write_text(yaml.safe_dump({**BASE, "batch": 3}))
    with pytest.raises(ConfigError) as error:
        conduct(file, tmp_path / "whole", Pretending())
    assert str(error.value) == (f"{tmp_path / 'whole'} was begun with other configuration files; choose another --out")


@pytest.mark.parametrize("edited", [yaml.safe_dump({**BASE, "batch": 3}), "{"], ids=["other", "none"])
def test_configuration_files_that_change_between_trials_end_the_sweep(tmp_path: Path, edited: str) -> None:
    """Or its later trials would be compared with the earlier ones, or be recorded as failed."""
    file, expected = whole(tmp_path, method="grid", parameters={"optimizer.init_args.lr": {"values": [0.9, 0.2]}})
    base = tmp_path / "base.yaml"
    before = base.read_text()

    class Editor(Pretending):
        def run(self, leg: Leg) -> None:
            super().run(leg)
            base.write_text(edited)

    with pytest.raises(ConfigError, match=r"edited after its first trial|cannot read the configuration"):
        conduct(file, tmp_path / "out", Editor())
    assert trials(tmp_path / "out") == expected[:1]
    base.write_text(before)
    conduct(file, tmp_path / "out", Pretending())
    assert trials(tmp_path / "out") == expected


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff"])
def test_a_damaged_report_of_a_trial_is_named(tmp_path: Path, content: bytes) -> None:
    file, [first, _] = whole(tmp_path, method="grid", parameters={"optimizer.init_args.lr": {"values": [0.9, 0.2]}})
    state = tmp_path / "whole" / "sweep.json"
    state.write_text(state.read_text().replace('"finished"', '"running"'))
    report = tmp_path / "whole" / first["id"] / "report.json"
    report.write_bytes(content)
    with pytest.raises(ConfigError, match=r"report.json is damaged; put it back as the run wrote it, or choose "):
        conduct(file, tmp_path / "whole", Pretending())


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"trials": [{}], "sweep": {}}', '{"trials": [], "sweep": [1]}', "\x00", ""]
)
def test_a_state_that_is_none_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    state = tmp_path / "out" / "sweep.json"
    state.parent.mkdir()
    state.write_text(content)
    with pytest.raises(ConfigError) as error:
        conduct(sweep_file(tmp_path), state.parent, Pretending())
    said = str(error.value)
    assert said.startswith(f"{state} is not the state of a sweep (") and said.endswith("; choose another --out")
    assert state.read_text() == content


def test_a_trial_without_a_configuration_fails(tmp_path: Path) -> None:
    parameters = {"optimizer.init_args.lr": {"values": [0.3, "fast"]}}
    _, found = whole(tmp_path, method="grid", parameters=parameters)
    assert [trial["state"] for trial in found] == ["finished", "failed"]
    assert "fast" in found[1]["error"]


def test_all_trials_fail(tmp_path: Path) -> None:
    parameters = {"optimizer.init_args.lr": {"values": [-1, -2]}}
    file = sweep_file(tmp_path, method="grid", parameters=parameters)
    with pytest.raises(ConfigError) as error:
        conduct(file, tmp_path / "out")
    assert str(error.value).startswith(f"all 2 trials of {file} failed, the first with: Invalid learning rate: -1")
    assert [trial["state"] for trial in trials(tmp_path / "out")] == ["failed", "failed"]


def test_a_metric_that_no_run_reports(tmp_path: Path) -> None:
    wrong = {"name": "psnr_y/snow", "goal": "maximize"}
    file, launcher = sweep_file(tmp_path, **THREE, metric=wrong), Pretending()
    with pytest.raises(ConfigError) as error:
        conduct(file, tmp_path / "out", launcher)
    assert str(error.value) == (
        f"{file}: the first run reports no psnr_y/snow; correct the metric, which can be psnr_y/veil, psnr_y/streaks, "
        "psnr_y/drops, average/psnr_y, bwt/psnr_y, forgetting/psnr_y, fwt/psnr_y, and give the same command again"
    )
    assert len(launcher.legs) == 1, "it shows after the first trial"
    sweep_file(tmp_path, **THREE)
    again = conduct(file, tmp_path / "out", Pretending())
    assert len(again.legs) == 2, "what was learned meanwhile is kept"
    with pytest.raises(ConfigError, match="holds a sweep with another metric; choose another --out"):
        conduct(sweep_file(tmp_path, **THREE, metric=wrong), tmp_path / "out", Pretending())


def test_a_metric_that_no_run_will_report_shows_at_the_first_border(tmp_path: Path) -> None:
    wrong = {"name": "psnr_y/snow", "goal": "maximize"}
    launcher = Pretending()
    with pytest.raises(ConfigError, match="the first run reports no psnr_y/snow; correct the metric, which can be "):
        conduct(sweep_file(tmp_path, **THREE, metric=wrong, early_terminate=HYPERBAND), tmp_path / "out", launcher)
    assert [leg.until for leg in launcher.legs] == [1]


@pytest.mark.parametrize(("strict", "after"), [(True, 2), (False, 1)])
def test_who_is_compared_leniently_has_the_best_score_so_far(tmp_path: Path, strict: bool, after: int) -> None:
    """`strict: false` of W&B: a run's best value up to the border counts, and not its value there."""
    twice = {"type": "hyperband", "min_iter": 2, "strict": strict}  # pretended scores fall from task to task
    _, found = whole(tmp_path, **THREE, early_terminate=twice)
    rates = [trial["values"]["optimizer.init_args.lr"] for trial in found]
    means = [20.0 - (rate - 0.3) ** 2 * (5 + after) for rate in rates]
    assert [trial["scores"] for trial in found] == [{"2": pytest.approx(mean, rel=1e-12)} for mean in means]


def test_after_the_last_comparison_a_trial_goes_on_to_the_end(tmp_path: Path) -> None:
    once = {"type": "hyperband", "max_iter": 2, "s": 1, "eta": 2}
    launcher = Pretending()
    conduct(sweep_file(tmp_path, **{**THREE, "run_cap": 1}, early_terminate=once), tmp_path / "out", launcher)
    assert [leg.until for leg in launcher.legs] == [1, None]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"command": ["rm", "-rf", "/"]}, "the command comes to 'rm -rf /'; here it must be "),
        ({"parameters": {"bach": {"value": 2}}}, ""),
        (
            {"parameters": {"optimizer": {"value": "torch.optim.Adm"}}},
            "there is no class torch.optim.Adm; did you mean ",
        ),
    ],
)
def test_a_mistake_in_the_file_leaves_nothing_behind(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    file = sweep_file(tmp_path, **{"method": "grid", "parameters": {"batch": {"value": 2}}, **change})
    with pytest.raises(ConfigError) as error:
        conduct(file, tmp_path / "out")
    assert str(error.value).startswith(f"{file}: {sentence}")
    assert not (tmp_path / "out").exists()


def test_a_file_cannot_trust_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the command says --trust; say --trust to raincheck sweep too if you know "):
        sweep(sweep_file(tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_cluster_that_is_not_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody() as place:
        address = place.removeprefix("http://")
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(ConfigError, match=f"^no Ray cluster answers at {address} .*; correct RAY_ADDRESS$"):
            sweep(sweep_file(tmp_path), tmp_path / "out", "ray", trust=True)


def test_another_sweep_is_refused(finished: tuple[Path, Path], tmp_path: Path) -> None:
    other = sweep_file(tmp_path, method="grid", parameters={"seed": {"values": [1, 2]}})
    with pytest.raises(ConfigError) as error:
        conduct(other, finished[1])
    assert str(error.value) == f"{finished[1]} holds a sweep with another command, parameters; choose another --out"


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "holiday"
    out.mkdir()
    (out / "photo.jpg").write_text("")
    with pytest.raises(OutputError) as error:
        conduct(sweep_file(tmp_path), out)
    assert str(error.value) == f"{out} is not empty and holds no sweep; choose another --out"
    assert sorted(path.name for path in out.iterdir()) == ["photo.jpg"]


def test_an_agents_run_has_the_folder_of_the_trial(finished: tuple[Path, Path], tmp_path: Path) -> None:
    """What `wandb agent` would start, with its `--out runs/{id}`."""
    first = trials(finished[1])[0]["id"]
    base, out = finished[0].parent / "base.yaml", tmp_path / "runs" / "{id}"
    assert BASE["tracking"] == "none"
    words = ["run", "--trust", "--config", str(base), "--optimizer.init_args.lr=0.001", "--out", str(out)]
    assert main(words) == 0
    assert reports(tmp_path / "runs") == {first: reports(finished[1])[first]}
