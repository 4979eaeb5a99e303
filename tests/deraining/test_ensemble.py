"""Self-ensemble: the mean over a video and its mirror image."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from raincheck import derain
from raincheck.cli import main
from raincheck.deraining.ensemble import SelfEnsemble
from raincheck.networks.rrgnet import RRGNet
from raincheck.networks.weights import save_weights
from tinyvideo import noise, read_folder, write_folder


@pytest.fixture
def network() -> RRGNet:
    """Random weights that change pixels visibly, and another way on the left than on the right."""
    torch.manual_seed(0)
    net = RRGNet(window=3, width=4)
    torch.nn.init.normal_(net.head.weight, std=0.05)
    return net.eval()


@pytest.fixture
def weights(network: RRGNet, tmp_path: Path) -> Path:
    save_weights(network, tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def through(frames: np.ndarray, weights: Path, **options: object) -> np.ndarray:
    return np.stack(list(derain(frames, weights=weights, cuts=False, **options))).astype(float)  # type: ignore[call-overload]


def test_it_is_the_mean_of_the_derained_video_and_of_the_mirrored_one_mirrored_back(weights: Path) -> None:
    frames = noise(5, 24, 40) // 2 + 64
    plain = through(frames, weights)
    mirrored = through(np.ascontiguousarray(frames[:, :, ::-1]), weights)[:, :, ::-1]
    found = through(frames, weights, self_ensemble=True)
    whole = (np.minimum(plain, mirrored) > 0) & (np.maximum(plain, mirrored) < 255)  # nothing was cut off there
    assert np.abs(plain - mirrored).mean() > 1 and whole.mean() > 0.9
    assert np.abs(found - (plain + mirrored) / 2)[whole].max() <= 1  # each of the two was rounded
    assert np.abs(found - plain).mean() > 0.5


@pytest.mark.parametrize("size", [(24, 40), (21, 37), (5, 3)])
def test_the_stream_equals_forward(network: RRGNet, size: tuple[int, int]) -> None:
    both = SelfEnsemble(network, network.decode).eval()
    clips = torch.rand(2, 3, 3, *size)
    with torch.no_grad():
        together = both(clips)
        apart = [both(clip[None])[0] for clip in clips]
    assert together.shape == (2, 3, *size)
    torch.testing.assert_close(together, torch.stack(apart), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(200, 216), (203, 221)])
def test_tiles_show_no_seams(weights: Path, size: tuple[int, int]) -> None:
    frames = noise(3, *size)
    whole = through(frames, weights, self_ensemble=True, tile="none")
    tiled = through(frames, weights, self_ensemble=True, tile=144)
    assert np.abs(whole - tiled).max() <= 1


def test_bfloat16_is_near(weights: Path) -> None:
    frames = noise(3, 24, 40)
    exact = through(frames, weights, self_ensemble=True)
    near = through(frames, weights, self_ensemble=True, precision="bf16")
    assert 0 < np.abs(exact - near).mean() < 1


def test_the_commands_know_it(weights: Path, tmp_path: Path) -> None:
    frames = noise(3, 24, 40)
    write_folder(tmp_path / "a", frames)
    expected = np.stack(list(derain(frames, weights=weights, self_ensemble=True)))
    write_folder(tmp_path / "clean", expected)
    options = ["--weights", str(weights), "--self-ensemble"]
    scores = ["--json", str(tmp_path / "s.json")]
    assert main(["evaluate", str(tmp_path / "a"), str(tmp_path / "clean"), *options, *scores]) == 0
    assert json.loads((tmp_path / "s.json").read_text())["psnr_rgb"] == 100
    assert main(["derain", str(tmp_path / "a"), str(tmp_path / "b"), *options]) == 0
    np.testing.assert_array_equal(read_folder(tmp_path / "b"), expected)


def test_padding_is_no_part_of_the_mirror_image(network: RRGNet) -> None:
    """Of a width that is no multiple of 8: what is left of the frame must not depend on which side is padded."""
    both, wide = SelfEnsemble(network, network.decode), torch.rand(1, 3, 3, 16, 40)
    wide[..., 33:] = wide[..., 32:33]  # what replication makes of the first 33 columns

    def pixels(clip: Tensor) -> Tensor:
        with torch.no_grad():
            return both(clip)

    torch.testing.assert_close(pixels(wide[..., :33]), pixels(wide)[..., :33])
