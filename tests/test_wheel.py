"""The wheel holds all that a user needs: weights, the demonstration's configuration, the report's page."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from program import PATIENCE
from raincheck.networks.weights import SHIPPED

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=PATIENCE)
    return next(out.glob("*.whl"))


def test_contents(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {"py.typed", "weights/README.md", "demo/stream.yaml"}
    wanted |= {f"weights/{name}.safetensors" for name in SHIPPED}
    wanted |= {f"report/{name}" for name in ("page.html", "parts.html", "page.css", "page.js")}
    assert {f"raincheck/{name}" for name in wanted} <= names
    assert not any(name.startswith("tests/") for name in names)


def test_installed_away_from_the_checkout_it_derains_and_exports_the_shipped_weights(
    wheel: Path, tmp_path: Path
) -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True, timeout=PATIENCE)
    python = tmp_path / "env" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(pip, check=True, timeout=PATIENCE, env=clean)  # a PYTHONPATH may hold raincheck already
    # What raincheck needs is borrowed from this environment: torch alone would be gigabytes. Its own folder comes last.
    own = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    (Path(own) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    frames = tmp_path / "rainy"
    frames.mkdir()
    for index in range(3):
        Image.new("RGB", (40, 30), (60 * index, 80, 120)).save(frames / f"{index}.png")
    where = subprocess.run(
        [str(python), "-c", "import raincheck; print(raincheck.__file__)"],
        check=True, capture_output=True, text=True, cwd=tmp_path, env=clean,
    ).stdout  # fmt: skip
    assert where.startswith(str(tmp_path / "env"))
    raincheck = str(tmp_path / "env" / "bin" / "raincheck")
    export = ["export", "--weights", "rrgnet", "--format", "onnx", "--out", "rrgnet.onnx"]
    outputs = {"out": ["derain", "rainy", "out"], "again": ["derain", "rainy", "again", "--weights", "rrgnet.onnx"]}
    for command in (outputs["out"], export, outputs["again"]):
        subprocess.run(
            [raincheck, *command], check=True, capture_output=True, cwd=tmp_path, env=clean, timeout=PATIENCE
        )
    for output in outputs:
        assert sorted(path.name for path in (tmp_path / output).iterdir()) == ["0.png", "1.png", "2.png"]
