"""Every shipped configuration runs: a new file is tested by existing."""

from pathlib import Path

import pytest

from raincheck.ablate import check
from raincheck.ablation_grid import read_grid
from raincheck.config import build, parse
from raincheck.run import run

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "src" / "raincheck" / "demo"
DATA = ROOT.parent / "shared" / "data"
METHODS = [*sorted((ROOT / "experiments" / "methods").glob("*.yaml")), *sorted(DEMO.glob("[!s]*.yaml"))]
STREAMS = [*sorted((ROOT / "experiments" / "streams").glob("*.yaml")), ROOT / "experiments" / "weights.yaml"]
TINY = ["--stream.steps", "2", "--batch", "2", "--stream.crop", "32", "--network.init_args.width", "4"]


@pytest.mark.parametrize("method", METHODS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_method_learns_the_demonstrations_stream(method: Path, tmp_path: Path) -> None:
    report = run(parse(["--config", str(DEMO / "stream.yaml"), "--config", str(method), *TINY]), tmp_path / "run")
    assert report["method"] == method.stem
    assert report["metrics"]["psnr_y"]["average"] is not None


@pytest.mark.parametrize("stream", STREAMS, ids=lambda path: path.stem)
def test_a_stream_is_there_to_be_learned(stream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = build(parse(["--config", str(stream)]))
    if not DATA.is_dir():
        pytest.skip("the clips that the streams name are not beside the project")
    tasks = [source.task(0) for source in config.stream.tasks]
    assert all(task.train and task.test for task in tasks)


@pytest.mark.parametrize(
    "grid", sorted((ROOT / "experiments" / "ablations").glob("*.yaml")), ids=lambda path: path.stem
)
def test_a_grids_cells_are_configurations(grid: Path) -> None:
    check(read_grid(grid), grid, trust=False)  # parses every cell
