"""The examples run as they stand."""

import ast
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import torch

from program import PATIENCE
from raincheck.deraining import derain
from raincheck.export.write import export
from raincheck.networks import RRGNet, save_weights
from tinyvideo import read_video, smooth, write_video

EXAMPLES = Path(__file__).parents[1] / "examples"
ONNX = EXAMPLES / "onnx_webcam_or_file.py"


def test_the_onnx_example_imports_neither_torch_nor_raincheck() -> None:
    tree = ast.parse(ONNX.read_text())
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    others = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    assert others == {"av", "numpy", "onnxruntime"}


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_the_onnx_example_reflects_the_ends(size: int) -> None:
    spec = spec_from_file_location("example", ONNX)
    assert spec is not None and spec.loader is not None
    example = module_from_spec(spec)
    spec.loader.exec_module(example)
    for count in range(1, 12):
        padded = list(example.with_reflected_ends(iter(range(count)), size // 2))
        assert len(padded) == count + size - 1
        if count > size // 2:  # shorter films repeat other frames than raincheck does
            assert padded == np.pad(np.arange(count), size // 2, mode="reflect").tolist()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network as weights and as ONNX."""
    folder = tmp_path_factory.mktemp("weights")
    network = RRGNet(window=5, width=4)
    # Smooth, grey rain, which the codec keeps.
    grey = torch.randn(1, 4, 3, 3, generator=torch.Generator().manual_seed(0)) / 50
    network.head.weight.data.copy_(grey.expand_as(network.head.weight))
    torch.nn.init.constant_(network.head.bias, 0.1)
    save_weights(network, folder / "w.safetensors")
    export(folder / "w.safetensors", folder / "w.onnx")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 9])
def test_the_onnx_example_derains_a_clip(weights: Path, tmp_path: Path, count: int) -> None:
    rainy = write_video(tmp_path / "in.mp4", smooth(count))
    command = [sys.executable, str(ONNX), str(weights / "w.onnx"), str(rainy), str(tmp_path / "out.mp4")]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=PATIENCE)
    got = read_video(tmp_path / "out.mp4").astype(int)
    expected = np.stack(list(derain(rainy, weights=weights / "w.safetensors")))
    assert got.shape == expected.shape
    assert np.abs(got - expected).mean() < 3 < np.abs(got - read_video(rainy)).mean()  # 3 grey levels for the codec
