"""Exported files as weights: the same scores and frames as the network, and what is refused."""

import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from program import finish
from raincheck.deraining import derain, network_on
from raincheck.errors import ConfigError, WeightsError
from raincheck.evaluation.pair import evaluate_pair
from raincheck.export.read import open_network
from raincheck.export.write import export
from raincheck.networks import RRGNet, save_weights
from tinyvideo import listing, noise, smooth, write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as weights and in both formats."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    network = RRGNet(window=5, width=4)
    torch.nn.init.normal_(network.head.weight, std=0.2)
    save_weights(network, folder / "w.safetensors")
    export(folder / "w.safetensors", folder / "w.onnx", "onnx")
    export(folder / "w.safetensors", folder / "w.pt2", "torch")
    return folder


@pytest.mark.parametrize("name", ["w.onnx", "w.pt2"])
def test_the_frames_are_those_of_the_network(folder: Path, name: str) -> None:
    frames = noise(7, 33, 47)
    expected = np.stack(list(derain(frames, weights=folder / "w.safetensors")))
    got = np.stack(list(derain(frames, weights=folder / name, trust=True)))
    assert np.abs(got.astype(int) - expected).max() <= 1
    assert np.abs(got.astype(int) - frames).mean() > 3


@pytest.mark.parametrize("name", ["w.onnx", "w.pt2"])
def test_the_scores_are_those_of_the_network(folder: Path, tmp_path: Path, name: str) -> None:
    rainy, clean = write_folder(tmp_path / "rainy", noise(6)), write_folder(tmp_path / "clean", smooth(6))
    expected = evaluate_pair(rainy, clean, folder / "w.safetensors", slice(1, 5))
    got = evaluate_pair(rainy, clean, folder / name, slice(1, 5), trust=True)
    for metric in ("psnr_y", "psnr_rgb", "ssim_y", "ssim_rgb", "temporal_y", "frames"):
        assert got[metric] == pytest.approx(expected[metric], abs=1e-2)


@pytest.mark.parametrize("together", [True, False])
def test_weights_beside_an_onnx_file(folder: Path, tmp_path: Path, together: bool) -> None:
    """As torch.onnx.export and onnx write them, which need not be raincheck's."""
    model, path = onnx.load(folder / "w.onnx"), tmp_path / "an ü" / "w.onnx"
    path.parent.mkdir()
    onnx.save_model(
        model, path, save_as_external_data=True, all_tensors_to_one_file=together, location=None, size_threshold=256
    )
    assert len(listing(path.parent)) == 2 if together else len(listing(path.parent)) > 2
    frames = noise(3, 33, 47)
    expected = np.stack(list(derain(frames, weights=folder / "w.onnx")))
    np.testing.assert_array_equal(np.stack(list(derain(frames, weights=path))), expected)


def test_weights_beside_an_onnx_file_that_are_gone(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "w.onnx"
    onnx.save_model(onnx.load(folder / "w.onnx"), path, save_as_external_data=True, location="w.data")
    (tmp_path / "w.data").write_bytes((tmp_path / "w.data").read_bytes()[:99])
    with pytest.raises(WeightsError, match=rf"^onnxruntime cannot read {path} .*; export it again$"):
        open_network(path)
    (tmp_path / "w.data").unlink()
    with pytest.raises(WeightsError, match=rf"^onnxruntime cannot read {path} .*{tmp_path / 'w.data'}.*; export"):
        open_network(path)
    assert capfd.readouterr() == ("", "")


class Evil:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def hostile(source: Path, target: Path, mark: Path) -> Path:
    """A .pt2 that holds a pickle where torch unpickles without restriction."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("_weights_config.json"):
                content = content.replace(b'"use_pickle": false', b'"use_pickle": true')
            elif "/weights/" in name:
                content = pickle.dumps(Evil(mark))
            new.writestr(name, content)
    return target


def test_a_pt2_is_opened_with_trust_only_because_it_can_run_code(folder: Path, tmp_path: Path) -> None:
    path, mark = hostile(folder / "w.pt2", tmp_path / "evil.pt2", tmp_path / "mark"), tmp_path / "mark"
    with pytest.raises(WeightsError) as caught:
        derain(noise(2), weights=path)
    assert str(caught.value) == (
        f"{path} is a torch.export file, parts of which torch may unpickle, so that it can run any code; pass --trust "
        "if you know who made it, or export it as .onnx"
    )
    assert not mark.exists()
    with pytest.raises(WeightsError, match=r"^torch cannot read .*evil\.pt2 \("):
        open_network(path, trust=True)
    assert mark.exists()  # or the sentence would be wrong, and the refusal idle


def test_files_that_are_something_else(folder: Path, tmp_path: Path) -> None:
    for name in ("garbage.onnx", "garbage.pt2", "empty.onnx", "empty.pt2"):
        (tmp_path / name).write_bytes(bytes(range(256)) if "garbage" in name else b"")
        with pytest.raises(WeightsError) as caught:
            open_network(tmp_path / name, trust=True)
        reader = "onnxruntime" if name.endswith("onnx") else "torch"
        said = str(caught.value)
        assert said.startswith(f"{reader} cannot read {tmp_path / name} (") and "\n" not in said
    with zipfile.ZipFile(tmp_path / "zip.pt2", "w") as file:
        file.writestr("a/b", "c")
    with pytest.raises(WeightsError, match=r"^torch cannot read .*zip\.pt2 \("):
        open_network(tmp_path / "zip.pt2", trust=True)


def first_frame(path: Path, shape: list[str | int]) -> Path:
    """Somebody else's ONNX file: the first frame of a clip of this shape."""
    clip = onnx.helper.make_tensor_value_info("frames", onnx.TensorProto.FLOAT, shape)
    frame = onnx.helper.make_tensor_value_info("frame", onnx.TensorProto.FLOAT, [shape[0], *shape[2:]])
    first = onnx.helper.make_tensor("first", onnx.TensorProto.INT64, [], [0])
    node = onnx.helper.make_node("Gather", ["frames", "first"], ["frame"], axis=1)
    graph = onnx.helper.make_graph([node], "g", [clip], [frame], [first])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def test_a_network_of_somebody_else(tmp_path: Path) -> None:
    path, frames = first_frame(tmp_path / "other.onnx", ["b", 3, 3, "h", "w"]), noise(4)
    np.testing.assert_array_equal(np.stack(list(derain(frames, weights=path))), frames[[1, 0, 1, 2]])  # reflected


@pytest.mark.parametrize(
    "shape",
    [["b", 4, 3, "h", "w"], ["b", 5, 1, "h", "w"], ["b", 5, 3, 64, 64], ["b", "t", 3, "h", "w"], ["b", 3, "h", "w"]],
)
def test_networks_that_do_something_else(tmp_path: Path, shape: list[str | int]) -> None:
    with pytest.raises(WeightsError, match=r"other\.onnx does not map one float32 clip"):
        open_network(first_frame(tmp_path / "other.onnx", shape))


def test_an_exported_network_is_on_the_cpu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert network_on(folder / "w.onnx", "auto")[1].type == "cpu"
    with pytest.raises(ConfigError) as caught:
        derain(noise(2), weights=folder / "w.onnx", device="cuda")
    assert str(caught.value) == (
        f"{folder / 'w.onnx'} is an exported network, which is computed on the CPU, not on cuda; use cpu"
    )


def test_without_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raincheck.export.read.find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        open_network(folder / "w.onnx")
    assert str(caught.value) == "an .onnx file needs onnxruntime, not installed here; pip install 'raincheck[onnx]'"


@pytest.mark.parametrize(
    "weights",
    [pytest.param("identity", marks=pytest.mark.slow), "w.onnx", pytest.param("w.pt2", marks=pytest.mark.slow)],
)
def test_as_a_library_it_imports_no_training_framework(folder: Path, weights: str) -> None:
    path = folder / weights
    program = (
        "import sys, numpy; from raincheck import derain\n"
        "frames = list(derain(numpy.zeros((3, 8, 9, 3), numpy.uint8), weights=sys.argv[1], trust=True))\n"
        "assert [f.shape for f in frames] == [(8, 9, 3)] * 3\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    command = [sys.executable, "-c", program, str(path if path.exists() else weights)]
    done = finish(command, check=True)
    modules = set(done.stdout.split())
    assert "torch" in modules and not modules & {
        "lightning",
        "avalanche",
        "torchmetrics",
        "wandb",
        "onnx",
        "onnxscript",
    }
    assert ("onnxruntime" in modules) == (weights == "w.onnx")
