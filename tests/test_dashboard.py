"""The workspace: its specification is a pure function; W&B's own classes take it."""

import json
from pathlib import Path
from typing import Any

import pytest

from raincheck.cli import main
from raincheck.dashboard import plain, specification, workspace
from raincheck.errors import ConfigError
from raincheck.evaluation.matrix import Matrix
from raincheck.report.runs import Run

EVIL = "<script>alert(1)</script>"


def run(label: str = "rrgnet", tasks: tuple[str, ...] = ("thin", EVIL)) -> Run:
    matrix = Matrix.before(tasks, (1.0, 2.0)).after((3.0, 2.0))
    texts = dict.fromkeys(("kind", "machine", "place", "config", "commit"), "")
    tables: dict[str, Any] = {name: {} for name in ("costs", "setting", "data", "versions", "frames")}
    matrices = {"psnr_y": matrix, "ssim_y": matrix}
    return Run(
        name=label,
        method=label,
        label=label,
        seed=0,
        tasks=tasks,
        learn="in_turn",
        matrices=matrices,
        **texts,
        **tables,
    )


def folder(path: Path, tracked: bool = True) -> Path:
    rows: list[list[Any]] = [[1.0, 2.0], [3.0, 2.0], [2.0, 4.0]]
    (path / "wandb").mkdir(parents=True)
    (path / "report.json").write_text(
        json.dumps({"method": "rrgnet", "tasks": ["thin", EVIL], "metrics": {"psnr_y": {"R": rows}}})
    )
    if tracked:
        (path / "wandb" / "id.txt").write_text("0123456789abcdef")
    return path


def panels(made: dict[str, Any], section: str) -> list[dict[str, Any]]:
    [found] = [entry["panels"] for entry in made["sections"] if entry["name"] == section]
    return list(found)


def test_a_panel_for_everything() -> None:
    made = specification([run(), run("ewc", ("veil", "thin"))], ["a", "b"])
    assert made["runs"] == ["a", "b"]
    names = ["Runs", "psnr_y", "ssim_y", "Loss terms", "Before and after", "Speed"]
    assert [section["name"] for section in made["sections"]] == names
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt;"
    lines = [key for panel in panels(made, "psnr_y") for key in panel.get("y", ())]
    assert lines[:3] == ["psnr_y/thin", f"psnr_y/{escaped}", "psnr_y/veil"]
    assert lines[3:] == ["average/psnr_y", "forgetting/psnr_y", "bwt/psnr_y", "fwt/psnr_y"]
    assert {panel["x"] for section in made["sections"] for panel in section["panels"] if "x" in panel} == {"iteration"}
    media = [key for panel in panels(made, "Before and after") for key in panel["media_keys"]]
    assert media == [f"{kind}/{task}" for kind in ("frames", "video") for task in ("thin", escaped, "veil")]


def test_no_name_is_taken_for_markup() -> None:
    assert "<" not in json.dumps(specification([run("[click](javascript:x) **b** `c`")], ["a"]))
    assert plain("[a](javascript:b)") == r"\[a\]\(javascript\:b\)"
    assert plain("a\n# b <i>") == r"a \# b &lt;i&gt;"


def test_wandb_takes_the_specification() -> None:
    """All of it arrives in what would be sent."""
    made = specification([run()], ["0123456789abcdef"])
    sent = json.dumps(workspace(made, "raincheck", "me")._to_model().spec.model_dump(by_alias=True, exclude_none=True))
    for section in made["sections"]:
        assert json.dumps(section["name"]) in sent
        for panel in section["panels"]:
            for key in (*panel.get("y", ()), *panel.get("media_keys", ()), panel.get("table_name", "")):
                assert json.dumps(key)[1:-1] in sent
    assert "0123456789abcdef" in sent and "iteration" in sent and "<script" not in sent


def test_save_needs_no_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "board.json"
    assert main(["dashboard", str(folder(tmp_path / "run")), "--save", str(out)]) == 0
    assert capsys.readouterr().out == f"written to {out}\n"
    assert json.loads(out.read_text())["runs"] == ["0123456789abcdef"]


def test_a_grids_folder_is_taken(tmp_path: Path) -> None:
    for seed in range(2):
        run = folder(tmp_path / "grid" / "cell" / f"seed-{seed}")
        (run / "wandb" / "id.txt").write_text(f"id-{seed}")
        (run / "report.json").write_text(json.dumps({**json.loads((run / "report.json").read_text()), "seed": seed}))
    assert main(["dashboard", str(tmp_path / "grid"), "--save", str(tmp_path / "board.json")]) == 0
    assert json.loads((tmp_path / "board.json").read_text())["runs"] == ["id-0", "id-1"]


@pytest.mark.parametrize("name", ["report.json", "wandb/id.txt"])
def test_a_runs_own_files_are_not_replaced(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "run")
    before = (path / name).read_bytes()
    for given in (path, tmp_path):
        assert main(["dashboard", str(given), "--save", str(path / name)]) == 2
        sentence = f"cannot write {path / name}: it is a file of the input {given}; choose another name"
        assert capsys.readouterr().err == f"raincheck: error: {sentence}\n"
    assert (path / name).read_bytes() == before


def test_a_name_that_is_too_long_is_to_be_shorter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / ("n" * 256)
    assert main(["dashboard", str(folder(tmp_path / "run")), "--save", str(out)]) == 2
    assert (
        capsys.readouterr().err == f"raincheck: error: cannot write {out}: File name too long; choose a shorter name\n"
    )


def test_a_board_may_be_saved_again_in_a_folder_that_is_made(tmp_path: Path) -> None:
    path = folder(tmp_path / "run")
    for _ in range(2):
        assert main(["dashboard", str(path), "--save", str(path / "boards" / "board.json")]) == 0


def test_a_run_without_wandb_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "run", tracked=False)
    assert main(["dashboard", str(path), "--save", str(tmp_path / "board.json")]) == 2
    sentence = f"{path} was not tracked by W&B; run it with --tracking wandb, or leave it out"
    assert capsys.readouterr().err == f"raincheck: error: {sentence}\n" and not (tmp_path / "board.json").exists()


def test_without_network_or_package_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from raincheck import dashboard

    monkeypatch.setattr(dashboard, "obstacle", lambda: "no answer within 5 seconds")
    with pytest.raises(
        ConfigError, match=r"^W&B cannot be reached \(no answer within 5 seconds\); write .* --save FILE$"
    ):
        dashboard.send(specification([run()], ["a"]), "raincheck", "me")
    monkeypatch.setitem(__import__("sys").modules, "wandb_workspaces", None)
    with pytest.raises(ConfigError, match=r"^a dashboard needs a package; pip install "):
        workspace(specification([run()], ["a"]), "raincheck", "me")
