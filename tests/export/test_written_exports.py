"""Exported files compute what the network computes, in somebody else's hands."""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import skimage.data
import torch
from einops import rearrange
from PIL import Image

from program import finish
from raincheck.errors import ConfigError, OutputError, RaincheckError, WeightsError
from raincheck.export import write as exporting
from raincheck.export.read import Exported
from raincheck.export.write import export
from raincheck.networks import ClipNetwork, Identity, RRGNet, load_network, save_weights
from raincheck.networks.catalogue import network_classes
from raincheck.video.pixels import to_float, to_uint8
from tinyvideo import listing

REAL = Path(__file__).parents[3] / "shared" / "data" / "rainy"


def changed(network: ClipNetwork) -> ClipNetwork:
    """With random weights everywhere: an untrained RRGNet is the identity."""
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.06, generator=generator)
    return network.eval()


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.slow] * (name != "Identity")) for name in sorted(network_classes())],
)
def network(request: pytest.FixtureRequest) -> ClipNetwork:
    return changed(network_classes()[request.param]())


@pytest.fixture(scope="module")
def folder(network: ClipNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network as weights and in both formats."""
    folder = tmp_path_factory.mktemp(type(network).__name__)
    save_weights(network, folder / "w.safetensors")
    for format, name in (("onnx", "w.onnx"), ("torch", "w.pt2")):
        assert export(folder / "w.safetensors", folder / name, format) < 1e-5
    return folder


# The first one's export takes a tenth of the other's time.
@pytest.fixture(scope="module", params=["Identity", pytest.param("RRGNet", marks=pytest.mark.slow)])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "w.safetensors"
    network: ClipNetwork = Identity(window=3) if request.param == "Identity" else RRGNet(window=3, width=4)
    save_weights(changed(network), path)
    return path


@cache
def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@cache
def program(path: Path) -> torch.nn.Module:
    return torch.export.load(path).module()


def by_onnxruntime(path: Path, clip: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(session(path).run(["derained"], {"clip": clip.numpy()})[0])


def by_torch(path: Path, clip: torch.Tensor) -> torch.Tensor:
    derained: torch.Tensor = program(path)(clip)
    return derained


RUNTIMES = {"w.onnx": by_onnxruntime, "w.pt2": by_torch}


@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize("size", [(1, 1), (2, 7), (33, 47), (64, 48)])
@pytest.mark.parametrize("count", [1, 3])
def test_every_network_in_every_size(
    network: ClipNetwork, folder: Path, name: str, size: tuple[int, int], count: int
) -> None:
    clip = torch.rand(count, network.window, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network(clip)
    torch.testing.assert_close(RUNTIMES[name](folder / name, clip), expected, atol=1e-5, rtol=0)
    if isinstance(network, RRGNet):
        assert not torch.allclose(expected, clip[:, network.window // 2], atol=1e-2)


def test_the_file_says_what_it_is(network: ClipNetwork, folder: Path) -> None:
    model = onnx.load(folder / "w.onnx", load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", exporting.OPSET)]
    sizes = {
        end.name: [side.dim_param or side.dim_value for side in end.type.tensor_type.shape.dim]
        for end in (*model.graph.input, *model.graph.output)
    }
    clip = ["batch", network.window, 3, "height", "width"]
    assert sizes == {"clip": clip, "derained": ["batch", 3, "height", "width"]}
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert about["network"] == type(network).__name__
    assert listing(folder) == ["w.onnx", "w.pt2", "w.safetensors"]  # and no weights beside them
    extra = {"raincheck.json": ""}
    torch.export.load(folder / "w.pt2", extra_files=extra)
    assert json.loads(extra["raincheck.json"]) == about


def test_a_file_is_replaced_by_one_that_needs_no_torch(small: Path, tmp_path: Path) -> None:
    (tmp_path / "w.onnx").write_bytes(b"old")
    export(small, tmp_path / "w.onnx")
    assert listing(tmp_path) == ["w.onnx"]
    code = (
        "import sys, numpy, onnxruntime; session = onnxruntime.InferenceSession(sys.argv[1])\n"
        "clip = numpy.ones((1, 3, 3, 9, 5), numpy.float32); print(session.run(None, {'clip': clip})[0].shape)\n"
        "print({'torch', 'raincheck', 'onnx'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "w.onnx")]
    done = finish(command, check=True)
    assert done.stdout == "(1, 3, 9, 5)\nset()\n"


def panned(picture: np.ndarray) -> torch.Tensor:
    """Five uint8 frames `(t, c, h, w)` of a camera that moves over a picture."""
    return torch.stack(
        [rearrange(torch.from_numpy(picture[i : i + 201, 3 * i : 3 * i + 283]), "h w c -> c h w") for i in range(5)]
    )


def real(name: str) -> torch.Tensor:
    """The first five frames `(t, c, h, w)` of real rain."""
    if not (REAL / name).is_dir():
        pytest.skip(f"{REAL / name} is not here")
    paths = sorted(path for path in (REAL / name).iterdir() if path.suffix in (".jpg", ".png"))[:5]
    return torch.stack(
        [rearrange(torch.from_numpy(np.array(Image.open(path).convert("RGB"))), "h w c -> c h w") for path in paths]
    )


FRAMES: dict[str, Any] = {
    "astronaut": lambda: panned(skimage.data.astronaut()),
    "chelsea": lambda: panned(skimage.data.chelsea()),
    "ntu_ra1": lambda: real("ntu_ra1"),
    "ntu_rb2": lambda: real("ntu_rb2"),
    "courtyard": lambda: real("courtyard"),
}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shipped")
    export("rrgnet", folder / "w.onnx", "onnx")
    export("rrgnet", folder / "w.pt2", "torch")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize("frames", FRAMES)
def test_shipped_weights_on_pictures_and_real_frames(shipped: Path, name: str, frames: str) -> None:
    clip = to_float(FRAMES[frames]())[None]
    with torch.no_grad():
        expected = load_network("rrgnet")(clip)
    got = RUNTIMES[name](shipped / name, clip)
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=0)
    assert (to_uint8(got).int() - to_uint8(expected).int()).abs().max() <= 1


def test_a_file_that_computes_something_else_is_not_written(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, _ = exporting.FORMATS["torch"]
    wrong = Exported(3, lambda clip: torch.zeros_like(clip[:, 0]))
    monkeypatch.setitem(exporting.FORMATS, "torch", (save, lambda content, path: wrong))
    (tmp_path / "w.pt2").write_bytes(b"old")
    with pytest.raises(
        ConfigError,
        match=rf"^the torch graph of {type(load_network(small)).__name__} differs from it by \S+, more than 0\.0001, "
        "on random clips; choose",
    ):
        export(small, tmp_path / "w.pt2", "torch")
    assert (tmp_path / "w.pt2").read_bytes() == b"old" and listing(tmp_path) == ["w.pt2"]


def test_mistakes(small: Path, tmp_path: Path) -> None:
    cases: list[tuple[str | Path, str, str, type[RaincheckError], str]] = [
        (
            small,
            "w.onnx",
            "tensorrt",
            ConfigError,
            "there is no format 'tensorrt' to export to; choose one of onnx, torch",
        ),
        (
            small,
            "w.pt2",
            "onnx",
            ConfigError,
            f"cannot export to {tmp_path}/w.pt2 as onnx; give a name that ends in .onnx",
        ),
        (tmp_path / "no", "w.onnx", "onnx", WeightsError, f"no weights at {tmp_path}/no; give "),
    ]
    for weights, out, format, error, message in cases:
        with pytest.raises(error) as caught:
            export(weights, tmp_path / out, format)
        assert str(caught.value).startswith(message)
        assert listing(tmp_path) == []


def test_its_folder_is_made_as_by_other_commands(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "no" / "where" / "w.pt2"
    export(small, out, "torch")
    assert listing(out.parent) == ["w.pt2"]


@pytest.mark.parametrize("name", ["folder.pt2", "file/w.pt2", "w" * 252 + ".pt2"])
def test_a_file_that_cannot_be_written_is_refused_before_any_work(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder.pt2").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr(exporting, "load_network", lambda weights: pytest.fail("the work has begun"))
    with pytest.raises(OutputError, match=r"^cannot write .*; (choose|give) "):
        export("rrgnet", tmp_path / name, "torch")
    assert listing(tmp_path) == ["file", "folder.pt2"]


def test_an_export_within_a_run_can_be_repeated(small: Path, tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes(small.read_bytes())
    for _ in range(2):
        export(tmp_path, tmp_path / "w.pt2", "torch")
    assert listing(tmp_path) == ["w.pt2", "weights.safetensors"]


def test_without_the_extra(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raincheck.export.read.find_spec", lambda name: None if name == "onnxscript" else True)
    with pytest.raises(ConfigError) as caught:
        export(small, tmp_path / "w.onnx")
    assert str(caught.value) == ("export to ONNX needs onnxscript, not installed here; pip install 'raincheck[onnx]'")
    assert listing(tmp_path) == []
    export(small, tmp_path / "w.pt2", "torch")  # which needs torch alone
