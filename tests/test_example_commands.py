"""Every example does what its first lines say, by the command that stands there: a new file is tested by existing."""

import difflib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
ELSEWHERE = {"onnx_webcam_or_file.py"}  # wants a file of the reader's; tests/test_examples.py gives it one
FILES = sorted({path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".yaml")} - ELSEWHERE)
MINUTE = 60.0  # what an example may take on two cores of its own; here it may have to share them
WRITTEN = {
    "avalanche_gains.py": ["avalanche_gains/best", "avalanche_gains/log/metrics.csv"],
    "lightning_fit.py": ["lightning_fit/weights.safetensors", "lightning_fit/derained.mp4"],
    "own_rain.yaml": ["own_rain/report.json"],
}


def command(example: Path) -> str:
    """The command in an example's first lines."""
    (found,) = re.findall(r"^#? {4}(.+)$", example.read_text(encoding="utf-8")[:600], flags=re.MULTILINE)[:1]
    assert f"examples/{example.stem}." in found
    return str(found)


def run(text: str, folder: Path) -> str:
    """What a command prints, given in a folder that has the examples below it, with no network in reach."""
    (folder / "examples").symlink_to(EXAMPLES)
    words = shlex.split(text)
    settings = dict(word.split("=", 1) for word in words if "=" in word.split("/")[0])
    program, *arguments = words[len(settings) :]
    paths = [str(folder / settings.pop("PYTHONPATH", ".")), str(ROOT / "src")]
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environment = {**os.environ, **proxies, **settings, "PYTHONPATH": os.pathsep.join(paths)}
    start = {"python": [sys.executable], "raincheck": [sys.executable, "-m", "raincheck"]}[program]
    done = subprocess.run(
        [*start, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=4 * MINUTE
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, str]]:
    """Runs an example, once a command: the folder that it ran in, and what it printed."""

    @cache
    def once(text: str) -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp("example")
        return folder, run(text, folder)

    return lambda example: once(command(EXAMPLES / example))


def code(example: str) -> list[str]:
    """An example's lines below what it says about itself."""
    return (EXAMPLES / example).read_text(encoding="utf-8").split('"""', 2)[2].splitlines()


@pytest.mark.parametrize("example", FILES)
def test_an_example_runs_by_its_own_command(example: str, ran: Callable[[str], tuple[Path, str]]) -> None:
    folder, printed = ran(example)
    assert printed
    assert {entry.name for entry in folder.iterdir()} <= {"examples", "runs"}
    for path in WRITTEN.get(example, []):
        assert (folder / "runs" / path).exists()


def test_two_lines_changed_print_the_same(ran: Callable[[str], tuple[Path, str]]) -> None:
    """What the README shows is the whole difference between Avalanche's loop and ours."""
    names = "avalanche_naive.py", "avalanche_lightning.py"
    changed = [line for line in difflib.ndiff(*map(code, names)) if line[0] in "+-"]
    assert len(changed) == 4
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```diff\n(.*?)```", readme, flags=re.DOTALL)
    assert [line for line in shown.splitlines() if line[0] in "+-"] == [f"{line[0]}{line[2:]}" for line in changed]
    before, after = (ran(name)[1] for name in names)
    assert before == after
    assert "Top1_Acc_Stream" in before
