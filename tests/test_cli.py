"""The command line: exit codes, one line for a mistake, nothing left behind, nothing imported that is not needed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fakedata import WRITE
from program import finish
from raincheck import __version__
from raincheck.cli import main
from raincheck.cli.evaluate import frame_slice
from raincheck.commands import COMMANDS
from tinytasks import KINDS
from tinyvideo import cut, noise, read_video, smooth, write_audio, write_folder, write_video

HEAVY = (
    "torch",
    "lightning",
    "avalanche",
    "torchmetrics",
    "torchvision",
    "wandb",
    "matplotlib",
    "kornia",
    "jsonargparse",
)


def raincheck(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The program as a user starts it."""
    return finish([sys.executable, "-m", "raincheck", *arguments])


def contents(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def loaded(*arguments: str) -> set[str]:
    """Which of the heavy packages a command imports."""
    program = (
        "import sys; from raincheck.cli import main; code = main(sys.argv[1:])\n"
        f"print('LOADED', *[name for name in {HEAVY} if name in sys.modules]); sys.exit(code)"
    )
    done = finish([sys.executable, "-c", program, *arguments])
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_the_overview_imports_nothing(arguments: list[str]) -> None:
    assert loaded(*arguments) == set()


def test_help_of_a_command_imports_nothing() -> None:
    names = [name for name in COMMANDS if name != "run"]  # whose help is that of the configuration
    program = (
        "import sys; from raincheck.cli import main\n"
        f"for command in {names}:\n"
        "    try: assert main([*command.split(), '--help']) == 0\n"
        "    except SystemExit as exit: assert exit.code == 0\n"
        f"print('LOADED', *[name for name in {HEAVY} if name in sys.modules])"
    )
    done = finish([sys.executable, "-c", program], check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"
    assert all(f"usage: raincheck {name} " in done.stdout for name in names)
    assert "--weights W" in done.stdout


def test_derain_imports_torch_only(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", noise(2, 16, 16))
    assert loaded("derain", str(tmp_path / "in"), str(tmp_path / "out"), "--weights", "identity") == {"torch"}
    assert contents(tmp_path / "out").keys() == {"00001.png", "00002.png"}


def test_data_check_imports_torch_only(tmp_path: Path) -> None:
    WRITE["rainvidss"](tmp_path, most=1)
    assert loaded("data", "check", str(tmp_path)) == {"torch"}


def test_overview_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all((f"\n  {name} " in text) == (" " not in name) for name in COMMANDS)
    assert main(["--version"]) == 0 and capsys.readouterr().out == f"{__version__}\n"


def test_help_of_run_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--help"]) == 0
    text = capsys.readouterr().out
    for option in ("--out", "--trust", "--config", "--stream.tasks", "--plugins", "--batch", "--seed", "--tracking"):
        assert option in text
    assert "raincheck.losses.PSNRLoss" in text and "raincheck.plugins.RainReview" in text
    assert text.count("(required") == 1 and " [--network NETWORK]" in text  # only the tasks have no default
    assert len(text.splitlines()) < 250  # there are a thousand modules of torch that could be a loss


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--plugins.help", "RainReview"], "--plugins.budget BUDGET"),
        (["--network.help"], "raincheck.networks.ClipNetwork"),
        (["--print_config"], "class_path: raincheck.networks.RRGNet"),
    ],
)
def test_help_about_a_class_needs_no_folder(option: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["run", *option])
    assert end.value.code == 0 and said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "expected"), [("1:5", slice(1, 5)), (":-2", slice(None, -2)), ("::3", slice(None, None, 3))]
)
def test_slices(text: str, expected: slice) -> None:
    assert frame_slice(text) == expected


def test_derain_and_evaluate(tmp_path: Path) -> None:
    video = write_video(tmp_path / "in.mp4", smooth(5))
    done = raincheck("derain", video, tmp_path / "out.mp4", "--weights", "identity")
    assert done.returncode == 0 and len(read_video(tmp_path / "out.mp4")) == 5
    done = raincheck(
        "evaluate", video, video, "--weights", "identity", "--frames", "1:4", "--json", tmp_path / "new" / "s.json"
    )
    scores = json.loads(done.stdout)
    assert done.returncode == 0 and json.loads((tmp_path / "new" / "s.json").read_text()) == scores
    assert (scores["psnr_y"], scores["ssim_rgb"], scores["temporal_y"], scores["frames"]) == (100, 1, 0, 3)


def test_a_notice_is_said_once_however_often_a_video_is_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "a.mp4", noise(40), bf="0")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 60] = bytes(60)
    path.write_bytes(content)
    assert main(["evaluate", str(path), str(path), "--weights", "identity"]) == 0
    assert re.fullmatch(r"raincheck: notice: \S+a.mp4 is damaged at frame \d+: [^\n]+\n", capfd.readouterr().err)


@pytest.mark.slow
@pytest.mark.parametrize(("format", "name", "more"), [("onnx", "w.onnx", []), ("torch", "w.pt2", ["--trust"])])
def test_export_and_evaluate(tmp_path: Path, format: str, name: str, more: list[str]) -> None:
    done = raincheck("export", "--weights", "identity", "--format", format, "--out", tmp_path / name)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.replace("\n", "") == f"written to {tmp_path / name}; differs from the network by 0.0e+00 at most"
    video = write_video(tmp_path / "in.mp4", smooth(3))
    done = raincheck("evaluate", video, video, "--weights", tmp_path / name, *more)
    assert done.returncode == 0 and done.stderr == "" and json.loads(done.stdout)["psnr_y"] == 100


def settings(**changes: Any) -> dict[str, Any]:
    tasks = [{"class_path": "tinytasks.TinyRain", "init_args": {"kind": kind}} for kind in KINDS[:2]]
    network = {"class_path": "raincheck.networks.RRGNet", "init_args": {"window": 3, "width": 4}}
    return {"stream": {"tasks": tasks, "crop": 16, "steps": 2}, "network": network, "batch": 2, **changes}


def test_run(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(settings()))
    done = raincheck("run", "--trust", "--config", tmp_path / "c.yaml", "--seed", "4", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no library's advice
    assert json.loads((tmp_path / "run" / "report.json").read_text())["seed"] == 4
    assert all(kind in done.stdout for kind in KINDS[:2]) and f"written to {tmp_path / 'run'}" in done.stdout.replace(
        "\n", ""
    )


def prepare(folder: Path) -> None:
    """Inputs that are fine, and inputs that are not."""
    write_video(folder / "good.mp4", smooth(5))
    write_video(folder / "long.mp4", smooth(7))
    write_video(folder / "wide.mp4", smooth(5, 48, 80))
    (folder / "empty").mkdir()
    (folder / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    (folder / "note.txt").write_text("not a video")
    cut(write_video(folder / "cut.mp4", noise(30)), 0.5)
    write_audio(folder / "sound.m4a")
    write_folder(folder / "mixed", noise(2))
    write_folder(folder / "other", noise(1, 32, 32))
    (folder / "other" / "00001.png").rename(folder / "mixed" / "00003.png")
    (folder / "other").rmdir()
    write_folder(folder / "frames", noise(3))
    for suffix in ("safetensors", "onnx", "pt2"):
        (folder / f"weights.{suffix}").write_bytes(b"garbage")
    small = {"class_path": "raincheck.plugins.RainReview", "init_args": {"budget": 100}}
    nan = {"class_path": "torch.optim.SGD", "init_args": {"lr": 1e30}}
    files = {
        "run": settings(),
        "typo": settings(plugins=[{"class_path": "raincheck.plugins.RainRewiew"}]),
        "small": settings(plugins=[small]),
        "type": settings(seed="many"),
        "key": settings(sed=3),
        "nan": settings(optimizer=nan),
        "nothing": settings(stream={"tasks": []}),
        "twice": settings(stream={"tasks": [settings()["stream"]["tasks"][0]] * 2, "crop": 16, "steps": 2}),
    }
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))


DERAIN = ["--weights", "identity"]
MISTAKES: dict[str, tuple[list[str], str]] = {
    "unknown command": (["rain"], "there is no command 'rain'; choose one of run, "),
    "unknown option": (
        ["derain", "good.mp4", "out.mp4", "--fast"],
        "unrecognized arguments: --fast; see raincheck derain",
    ),
    "abbreviated option": (["derain", "good.mp4", "out.mp4", "--weight", "identity"], "unrecognized arguments: "),
    "missing argument": (["derain", "good.mp4"], "the following arguments are required: OUTPUT; see raincheck derain"),
    "missing file": (["derain", "none.mp4", "out.mp4", *DERAIN], "none.mp4"),
    "empty folder": (["derain", "empty", "out.mp4", *DERAIN], "empty"),
    "not a video": (["derain", "note.txt", "out.mp4", *DERAIN], "note.txt"),
    "noise": (["derain", "noise.mp4", "out.mp4", *DERAIN], "noise.mp4"),
    "cut video": (["derain", "cut.mp4", "out.mp4", *DERAIN], "cut.mp4"),
    "sound only": (["derain", "sound.m4a", "out.mp4", *DERAIN], "sound.m4a"),
    "frames of two sizes": (["derain", "mixed", "out", *DERAIN], ""),
    "output over input": (["derain", "good.mp4", "good.mp4", *DERAIN], "good.mp4"),
    "output inside input": (["derain", "frames", "frames/out", *DERAIN], "frames"),
    "unwritable output": (["derain", "good.mp4", "note.txt/out.mp4", *DERAIN], "note.txt"),
    "full output folder": (["derain", "good.mp4", "frames", *DERAIN], "frames"),
    "no such weights": (["derain", "good.mp4", "out.mp4", "--weights", "none"], "no weights at none; give `rrgnet`, "),
    "garbage weights": (
        ["derain", "good.mp4", "out.mp4", "--weights", "weights.safetensors"],
        "weights.safetensors is no",
    ),
    "garbage onnx": (
        ["derain", "good.mp4", "out.mp4", "--weights", "weights.onnx"],
        "onnxruntime cannot read weights.onnx",
    ),
    "garbage pt2": (
        ["evaluate", "good.mp4", "good.mp4", "--trust", "--weights", "weights.pt2"],
        "torch cannot read weights.pt2 (",
    ),
    "untrusted pt2": (["evaluate", "good.mp4", "good.mp4", "--weights", "weights.pt2"], "pass --trust if you know"),
    "export to another suffix": (
        ["export", "--weights", "identity", "--format", "onnx", "--out", "out.pt2"],
        "cannot export to out.pt2 as onnx; give a name that ends in .onnx",
    ),
    "unknown format": (["export", "--format", "tensorrt", "--out", "out.onnx"], "choose one of onnx, torch"),
    "export of no weights": (["export", "--weights", "none", "--out", "out.onnx"], "no weights at none; give `rrgnet`"),
    "unwritable export": (
        ["export", "--weights", "identity", "--format", "torch", "--out", "note.txt/out.pt2"],
        "cannot write note.txt/out.pt2",
    ),
    "no such device": (
        ["derain", "good.mp4", "out.mp4", *DERAIN, "--device", "abacus"],
        "there is no device 'abacus' here",
    ),
    "pair of two lengths": (["evaluate", "good.mp4", "long.mp4", *DERAIN], "long.mp4"),
    "pair of two sizes": (["evaluate", "good.mp4", "wide.mp4", *DERAIN], "wide.mp4"),
    "no slice": (
        ["evaluate", "good.mp4", "good.mp4", "--frames", "3"],
        "argument --frames: '3' is not a slice such as 10:20",
    ),
    "empty slice": (["evaluate", "good.mp4", "good.mp4", *DERAIN, "--frames", "9:"], "none of them in [9:]"),
    "slice from the end": (
        ["evaluate", "good.mp4", "good.mp4", *DERAIN, "--frames", "-3:-9"],
        "none of them in [-3:-9]",
    ),
    "unwritable json": (
        ["evaluate", "good.mp4", "good.mp4", *DERAIN, "--json", "note.txt/s.json"],
        "cannot write note.txt/s.json",
    ),
    "json over an input": (
        ["evaluate", "good.mp4", "good.mp4", *DERAIN, "--json", "good.mp4"],
        "cannot write good.mp4: it is an input; choose another name",
    ),
    "json into a folder": (
        ["evaluate", "good.mp4", "good.mp4", *DERAIN, "--json", "frames"],
        "cannot write frames: it is a folder; give the name of a file",
    ),
    "no output folder": (["run", "--trust", "--config", "run.yaml"], "--out DIR is missing; see raincheck run --help"),
    "no such configuration": (
        ["run", "--config", "no.yaml", "--out", "out"],
        "cannot read the configuration no.yaml: ",
    ),
    "not trusted": (
        ["run", "--config", "run.yaml", "--out", "out"],
        "the class tinytasks.TinyRain in run.yaml is not of ",
    ),
    "misspelt plugin": (
        ["run", "--trust", "--config", "typo.yaml", "--out", "out"],
        "did you mean raincheck.plugins.RainReview?",
    ),
    "small budget": (
        ["run", "--trust", "--config", "small.yaml", "--out", "out"],
        "a review budget of 100 bytes gives ",
    ),
    "wrong type": (["run", "--trust", "--config", "type.yaml", "--out", "out"], "seed"),
    "unknown key": (["run", "--trust", "--config", "key.yaml", "--out", "out"], "sed"),
    "unknown run option": (["run", "--trust", "--config", "run.yaml", "--out", "out", "--sede", "3"], "sede"),
    "unknown trainer option": (
        ["run", "--trust", "--config", "run.yaml", "--out", "out", "--trainer", "{a: 1}"],
        "'a'",
    ),
    "divergence": (
        ["run", "--trust", "--config", "nan.yaml", "--out", "out"],
        "in experience 0 (veil), step 1; lower the",
    ),
    "no tasks": (["run", "--trust", "--config", "nothing.yaml", "--out", "out"], "a stream needs one or more tasks"),
    "one task twice": (
        ["run", "--trust", "--config", "twice.yaml", "--out", "out"],
        "a stream needs one or more tasks",
    ),
    "unwritable run": (["run", "--trust", "--config", "run.yaml", "--out", "note.txt"], "cannot write to note.txt: "),
    "foreign folder": (
        ["run", "--trust", "--config", "run.yaml", "--out", "frames"],
        "frames is not empty and holds no run",
    ),
}


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("materials")
    prepare(folder)
    return folder


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(
    materials: Path, name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments, part = MISTAKES[name]
    monkeypatch.chdir(materials)
    before = contents(materials)
    assert main(arguments) == 2
    error = capfd.readouterr().err
    assert re.fullmatch(r"raincheck: error: [^\n]+\n", error) and part in error
    assert contents(materials) == before


OTHERS = ["frames of two sizes", "misspelt plugin", "small budget", "garbage pt2"]


@pytest.mark.parametrize(
    "name", ["cut video", "garbage onnx", *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
)
def test_nothing_else_is_on_standard_error_of_the_program(materials: Path, name: str) -> None:
    """In a process of its own, where libraries are imported afresh and may warn."""
    names = [str(materials / word) if (materials / word).exists() else word for word in MISTAKES[name][0]]
    names = [str(materials / word) if word.startswith("out") else word for word in names]
    before = contents(materials)
    done = raincheck(*names)
    assert done.returncode == 2
    assert re.fullmatch(r"raincheck: error: [^\n]+\n", done.stderr), done.stderr
    assert contents(materials) == before


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(arguments: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("raincheck.cli.derain.run", interrupted)
    assert main(["derain"]) == 130 and capsys.readouterr().err == "raincheck: interrupted\n"
