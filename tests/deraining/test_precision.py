"""bfloat16, compilation and kept memory: what they change, and what they must not."""

import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException

from program import finish
from raincheck.deraining import Engine, derain, precision
from raincheck.deraining.engine import Seen
from raincheck.deraining.precision import compiled, in_bf16
from raincheck.errors import ConfigError
from raincheck.evaluation.pair import evaluate_pair
from raincheck.export.read import Exported
from raincheck.networks import Identity, RRGNet, load_network
from raincheck.video.stream import FOLDER_RATE, at_rate
from tinyvideo import noise, smooth, write_folder
from tools import require_tool

CPU = torch.device("cpu")


def network() -> RRGNet:
    torch.manual_seed(0)
    net = RRGNet(width=8)
    torch.nn.init.normal_(net.head.weight, std=0.2)
    return net.eval()


def window(count: int = 5) -> list[Seen]:
    frames = torch.randint(0, 256, (count, 3, 48, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    return [Seen(picture) for picture in at_rate(frames, FOLDER_RATE)]


def test_shipped_weights_in_bf16_are_hundredths_of_a_grey_level_off() -> None:
    frames = np.concatenate([smooth(3), noise(3) // 4 + 96])
    full, half = (np.stack(list(derain(frames, precision=name))).astype(int) for name in ("fp32", "bf16"))
    difference = np.abs(full - half)
    assert 0 < difference.mean() < 0.2 and difference.max() <= 3


def test_frames_are_encoded_in_fp32_and_kept_in_bf16() -> None:
    frames, seen = window(), []
    net = network()
    real = net.encode
    net.encode = lambda pixels: seen.append(real(pixels).dtype) or real(pixels)  # type: ignore[method-assign, func-returns-value]
    Engine(net, CPU, "bf16").derain(frames)
    assert set(seen) == {torch.float32}
    assert {f.dtype for frame in frames for f in frame.features.values()} == {torch.bfloat16}


@pytest.mark.parametrize("units", [True, False])
def test_auto_is_bf16_where_there_are_units_for_it(monkeypatch: pytest.MonkeyPatch, units: bool) -> None:
    monkeypatch.setattr(precision, "has_units", lambda device: units)
    assert in_bf16("auto", network(), CPU) is units
    assert in_bf16("bf16", network(), CPU) and not in_bf16("fp32", network(), CPU)


@pytest.mark.parametrize("units", [True, False])
def test_the_units_are_those_that_linux_names(monkeypatch: pytest.MonkeyPatch, units: bool) -> None:
    monkeypatch.setattr(Path, "read_text", lambda path: f"flags : fpu avx512_bf16 {'amx_bf16' if units else ''} ht\n")
    assert precision.has_units(CPU) is units
    assert not precision.has_units(torch.device("mps"))


def test_exported_networks_have_one_precision_and_are_compiled_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_units", lambda device: True)
    exported = Exported(3, lambda clip: clip[:, 1])
    assert not in_bf16("auto", exported, CPU)
    with pytest.raises(ConfigError, match=r"^an exported network computes in the precision of its file; leave --prec"):
        in_bf16("bf16", exported, CPU)
    with pytest.raises(ConfigError, match=r"^an exported network is not compiled; leave --compile out$"):
        compiled(exported)


def test_scores_in_bf16(tmp_path: Path) -> None:
    rainy, clean = write_folder(tmp_path / "rainy", noise(4) // 8 + 100), write_folder(tmp_path / "clean", smooth(4))
    full, half = (evaluate_pair(rainy, clean, precision=name) for name in ("fp32", "bf16"))
    assert half["psnr_y"] == pytest.approx(full["psnr_y"], abs=0.05) and half["psnr_rgb"] != full["psnr_rgb"]


def pretend(monkeypatch: pytest.MonkeyPatch, fast: Callable[..., Tensor]) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **options: fast)


def test_reflected_windows_are_compiled_as_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch compiles anew where one tensor comes in the place of two."""
    net = network()

    def fast(features: Sequence[Tensor], centre: Tensor) -> Tensor:
        assert len({id(feature) for feature in features}) == len(features) == 5
        return net.decode(features, centre)

    pretend(monkeypatch, fast)
    a, b, c, *_ = window()
    expected = Engine(net, CPU).derain([c, b, a, b, c])
    assert torch.equal(Engine(net, CPU, compile=True).derain([c, b, a, b, c]), expected)


def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Tensor:
        raise TorchDynamoException("InvalidCxxCompiler: no working compiler\nSet TORCHDYNAMO_VERBOSE=1")

    pretend(monkeypatch, fail)
    with pytest.raises(ConfigError) as caught:
        list(derain(smooth(2), weights="identity", compile=True))
    assert str(caught.value) == (
        "torch cannot compile Identity here (InvalidCxxCompiler: no working compiler); leave --compile out"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fp32", "bf16"])
def test_compiled_and_not_are_the_same(name: str) -> None:
    require_tool("g++")
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    frames = noise(6) // 4 + 96
    plain, fast = (np.stack(list(derain(frames, precision=name, compile=c))).astype(int) for c in (False, True))
    assert np.abs(plain - fast).max() <= (1 if name == "fp32" else 3)
    assert (
        torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    )  # not one for each way in which a window reflects


FAULTS = """
import resource, sys, torch
from raincheck.deraining.allocator import keep_freed_memory
if sys.argv[1:]: keep_freed_memory()
torch.set_num_threads(1)
for turn in range(12):
    if turn == 2: before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    layers = [torch.zeros(10_000_000) for _ in range(3)]
    del layers
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
def test_memory_that_is_kept_does_not_come_back_as_new_pages() -> None:
    handed_back, kept = (
        int(finish([sys.executable, "-c", FAULTS, *more], check=True).stdout) for more in ([], ["keep"])
    )
    assert kept < handed_back / 5  # a block or two are taken anew until the sizes have settled


def test_identity_in_every_way() -> None:
    frames = noise(3)
    for name in ("fp32", "bf16", "auto"):
        np.testing.assert_array_equal(list(derain(frames, weights="identity", precision=name)), frames)
    assert isinstance(load_network("identity"), Identity)
