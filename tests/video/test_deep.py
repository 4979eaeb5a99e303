"""Video of more than 8 bits keeps them where the output can hold them, and the user is told where it cannot."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from einops import rearrange

from raincheck import derain
from raincheck.errors import RaincheckWarning
from raincheck.networks import RRGNet, save_weights
from raincheck.video.reading.decode import open_stream


def ramp(count: int = 3) -> np.ndarray:
    """Frames `(t, h, w, c)` of 10 bits, in uint16 of 16, with more than 256 values."""
    x = np.arange(320)[None, :, None] + np.arange(48)[:, None, None] + np.array([300, 500, 400])
    return np.stack([((x + 5 * t) * 65535 // 1023).astype(np.uint16) for t in range(count)])


def write(path: Path, frames: np.ndarray, codec: str, pixel_format: str) -> Path:
    with av.open(str(path), "w") as file:
        track: Any = file.add_stream(codec, rate=25)
        track.height, track.width, track.pix_fmt = *frames.shape[1:3], pixel_format
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb48le").reformat(format=pixel_format)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            file.mux(track.encode(frame))
        file.mux(track.encode())
    return path


def read(path: Path) -> np.ndarray:
    with av.open(str(path)) as file:
        return np.stack([f.to_ndarray(format="rgb48le") for f in file.decode(video=0)]).astype(int)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "a.mkv", ramp(), "ffv1", "gbrp10le")


def test_ten_bits_stay_ten(tmp_path: Path, source: Path, recwarn: pytest.WarningsRecorder) -> None:
    derain(source, tmp_path / "b.MKV", weights="identity", codec="ffv1", pixel_format="gbrp10le")
    np.testing.assert_array_equal(read(tmp_path / "b.MKV"), read(source))
    assert len(np.unique(read(tmp_path / "b.MKV"))) > 256
    assert not [w for w in recwarn if w.category is RaincheckWarning]


def test_the_network_sees_and_gives_ten(tmp_path: Path, source: Path) -> None:
    torch.manual_seed(0)
    network = RRGNet(window=3, width=4)
    torch.nn.init.normal_(network.head.weight, std=0.05)
    save_weights(network, tmp_path / "w.safetensors")
    options: dict[str, Any] = {"weights": tmp_path / "w.safetensors", "codec": "ffv1"}
    derain(source, tmp_path / "deep.mkv", pixel_format="gbrp10le", **options)
    with pytest.warns(RaincheckWarning):
        derain(source, tmp_path / "flat.mkv", pixel_format="bgr0", **options)
    rainy = torch.from_numpy(read(source).astype(np.float32) / 65535)
    clips = rearrange(rainy[torch.tensor([[1, 0, 1], [0, 1, 2], [1, 2, 1]])], "b t h w c -> b t c h w")
    with torch.no_grad():
        expected = rearrange(network.eval()(clips), "t c h w -> t h w c").numpy()
    assert np.abs(expected - rainy.numpy()).mean() > 0.01  # it does something
    for name, most in (("deep.mkv", 1.01 / 1023), ("flat.mkv", 1.5 / 255)):
        assert np.abs(read(tmp_path / name) / 65535 - expected).max() < most
    assert np.abs(read(tmp_path / "flat.mkv") / 65535 - expected).max() > 2 / 1023


def planes(path: Path) -> np.ndarray:
    """What is stored, without any conversion of colours."""
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
        assert {frame.format.name for frame in frames} == {"yuv420p10le"}
        return np.stack([frame.to_ndarray() for frame in frames])


def test_ten_bits_of_luma_and_chroma_come_back_bit_for_bit(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", ramp(), "ffv1", "yuv420p10le")
    derain(path, tmp_path / "b.mkv", weights="identity", codec="ffv1", pixel_format="yuv420p10le")
    np.testing.assert_array_equal(planes(tmp_path / "b.mkv"), planes(path))
    assert len(np.unique(planes(path))) > 256
    for flat, deep in zip(open_stream(path).pictures(), open_stream(path).pictures(deep=True), strict=True):
        assert deep.pixels.dtype == torch.uint16
        assert (deep.pixels.float() / 257 - flat.pixels.float()).abs().max() < 2  # the same colours


@pytest.mark.parametrize("compare", ["side", "wipe"])
def test_comparisons_are_deep_too(tmp_path: Path, source: Path, compare: str) -> None:
    derain(source, tmp_path / "b.mkv", weights="identity", codec="ffv1", pixel_format="gbrp10le", compare=compare)
    got = read(tmp_path / "b.mkv")
    assert len(np.unique(got)) > 256
    if compare == "side":
        np.testing.assert_array_equal(got, np.concatenate([read(source)] * 2, axis=2))
    else:
        assert (got.max(axis=(0, 1)) == 65535).any()  # the line is white


@pytest.mark.parametrize("output", ["b.mp4", "out"])
def test_what_is_lost_is_said_once(tmp_path: Path, source: Path, output: str) -> None:
    with pytest.warns(RaincheckWarning) as notices:
        derain(source, tmp_path / output, weights="identity")
    assert [str(notice.message) for notice in notices if notice.category is RaincheckWarning] == [
        f"{source} has 10 bits a value and {tmp_path / output} gets 8; a video file with --pixel-format yuv420p10le "
        "gets 10"
    ]


def test_frames_for_a_program_have_eight(source: Path, recwarn: pytest.WarningsRecorder) -> None:
    frames = list(derain(source, weights="identity"))
    assert all(frame.dtype == np.uint8 for frame in frames)
    assert np.abs(np.stack(frames) * 257.0 - read(source)).max() < 1.2 * 257
    assert not [w for w in recwarn if w.category is RaincheckWarning]
