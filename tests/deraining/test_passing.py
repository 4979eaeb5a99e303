"""Deraining as a stream."""

import sys
import threading
import weakref
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from einops import rearrange
from PIL import Image

import raincheck
from program import finish
from raincheck.deraining import choose_device, derain, derain_frames
from raincheck.errors import ConfigError, InputError, OutputError, RaincheckError, WeightsError
from raincheck.networks.identity import Identity
from raincheck.networks.rrgnet import RRGNet
from raincheck.networks.weights import save_weights
from raincheck.video.pixels import to_float, to_uint8
from tinyvideo import listing, noise, read_folder, read_video, smooth, write_folder, write_video

CPU = torch.device("cpu")


def network(window: int = 5) -> RRGNet:
    """Random weights that change pixels visibly: an untrained RRGNet is the identity."""
    torch.manual_seed(0)
    net = RRGNet(window=window, width=4)
    torch.nn.init.normal_(net.head.weight, std=0.2)
    return net.eval()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    save_weights(network(), tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def tensors(frames: np.ndarray) -> torch.Tensor:
    return rearrange(torch.from_numpy(frames), "t h w c -> t c h w")


@pytest.mark.parametrize("count", [1, 2, 3, 9])
@pytest.mark.parametrize("size", [(48, 64), (33, 47), (5, 3)])
@pytest.mark.parametrize("window", [1, 3, 5])
def test_the_stream_equals_forward_on_reflected_windows(count: int, size: tuple[int, int], window: int) -> None:
    net, frames = network(window), tensors(noise(count, *size))
    index = np.pad(np.arange(count), window // 2, mode="reflect")  # numpy's reflection is the reference
    clips = torch.stack([to_float(frames[index[i : i + window]]) for i in range(count)])
    with torch.no_grad():
        expected = to_uint8(torch.cat([net(clip[None]) for clip in clips]))
    got = torch.stack(list(derain_frames(frames, net, CPU)))
    assert got.shape == frames.shape
    assert (got.int() - expected.int()).abs().max() <= 1  # batches of other sizes round differently
    assert (got.int() - frames.int()).abs().float().mean() > 3  # the network does something


def test_every_frame_is_encoded_once_and_every_window_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    net, calls = network(), {"encode": 0, "decode": 0}
    for name in calls:
        real = getattr(net, name)

        def counting(*args: torch.Tensor, name: str = name, real=real) -> torch.Tensor:  # type: ignore[no-untyped-def]
            calls[name] += 1
            return real(*args)

        monkeypatch.setattr(net, name, counting)
    list(derain_frames(tensors(noise(20)), net, CPU))
    assert calls == {"encode": 20, "decode": 20}
    list(derain_frames(tensors(noise(20)), net, CPU, wanted=[10]))
    assert calls == {"encode": 25, "decode": 21}


def most_frames_alive(count: int) -> int:
    alive: set[int] = set()
    most = 0

    def source() -> Iterator[torch.Tensor]:
        nonlocal most
        for index in range(count):
            frame = torch.full((3, 8, 8), index % 256, dtype=torch.uint8)
            alive.add(index)
            weakref.finalize(frame, alive.discard, index)
            most = max(most, len(alive))
            yield frame

    assert sum(1 for _ in derain_frames(source(), network(), CPU)) == count
    return most


def test_memory_does_not_grow_with_the_video() -> None:
    assert most_frames_alive(50) == most_frames_alive(500) <= 5 + 2


def test_a_folder_through_the_identity_is_the_same_folder(tmp_path: Path) -> None:
    frames = noise(11, 33, 47)
    folder = write_folder(tmp_path / "in", frames, "frame-{}.png")
    (folder / "Thumbs.db").touch()
    assert derain(folder, tmp_path / "out", weights="identity") == tmp_path / "out"
    assert listing(tmp_path / "out") == sorted(f"frame-{i}.png" for i in range(1, 12))
    for index, frame in enumerate(frames, start=1):
        np.testing.assert_array_equal(np.array(Image.open(tmp_path / "out" / f"frame-{index}.png")), frame)
    assert listing(tmp_path) == ["in", "out"]


def test_a_video_keeps_frames_rate_rotation_and_colours(tmp_path: Path) -> None:
    frames = smooth(13)
    path = write_video(tmp_path / "in.mp4", frames, fps=Fraction(30000, 1001), rotation=-90, crf="10")
    derain(path, tmp_path / "out.mov", weights="identity")
    got = read_video(tmp_path / "out.mov")
    assert got.shape == frames.shape
    assert np.abs(got.astype(int) - read_video(path)).mean() < 2
    with av.open(str(tmp_path / "out.mov")) as file:
        assert file.streams.video[0].average_rate == Fraction(30000, 1001)
        assert next(file.decode(video=0)).rotation == -90


def test_a_video_becomes_a_folder_and_a_folder_a_video(tmp_path: Path) -> None:
    frames = smooth(4, 33, 47)
    derain(write_folder(tmp_path / "in", frames), tmp_path / "a.mp4", weights="identity")
    derain(tmp_path / "a.mp4", tmp_path / "out", weights="identity")
    assert listing(tmp_path / "out") == ["00001.png", "00002.png", "00003.png", "00004.png"]
    np.testing.assert_array_equal(read_folder(tmp_path / "out"), read_video(tmp_path / "a.mp4"))


def test_compare_puts_rainy_left_and_derained_right(tmp_path: Path, weights: Path) -> None:
    frames = noise(4)
    folder = write_folder(tmp_path / "in", frames)
    derain(folder, tmp_path / "out", weights=weights, compare=True)
    both = read_folder(tmp_path / "out")
    assert both.shape == (4, 48, 128, 3)
    np.testing.assert_array_equal(both[:, :, :64], frames)
    np.testing.assert_array_equal(both[:, :, 64:], np.stack(list(derain(folder, weights=weights))))


def test_frames_in_memory_come_back_as_they_were_given(tmp_path: Path, weights: Path) -> None:
    frames = noise(5)
    folder = write_folder(tmp_path / "in", frames)
    expected = np.stack(list(derain(folder, weights=weights)))
    arrays = list(derain(frames, weights=weights))
    assert all(isinstance(a, np.ndarray) and a.shape == (48, 64, 3) for a in arrays)
    np.testing.assert_array_equal(np.stack(arrays), expected)
    np.testing.assert_array_equal(np.stack(list(derain(iter(frames), weights=weights))), expected)
    outputs = list(derain(tensors(frames), weights=weights))
    assert all(isinstance(o, torch.Tensor) and o.shape == (3, 48, 64) for o in outputs)
    np.testing.assert_array_equal(rearrange(outputs, "t c h w -> t h w c").numpy(), expected)
    derain(frames, tmp_path / "out", weights=weights)
    np.testing.assert_array_equal(read_folder(tmp_path / "out"), expected)


def test_an_output_may_be_any_path(tmp_path: Path) -> None:
    class Place:
        """A path of another library's."""

        def __fspath__(self) -> str:
            return str(tmp_path / "out")

    output: Any = Place()
    derain(noise(2), output, weights="identity")
    np.testing.assert_array_equal(read_folder(tmp_path / "out"), noise(2))


@pytest.mark.parametrize("kind", [torch.from_numpy, np.asarray])
def test_programs_may_make_all_frames_in_one_buffer(weights: Path, kind: Any) -> None:
    frames = noise(6)
    buffer = np.empty_like(frames[0])

    def camera() -> Iterator[Any]:
        for frame in frames:
            buffer[:] = frame
            yield kind(buffer) if kind is np.asarray else rearrange(kind(buffer), "h w c -> c h w")

    expected = list(derain(frames, weights=weights))
    for frame, own in zip(derain(camera(), weights=weights), expected, strict=True):
        np.testing.assert_array_equal(frame if kind is np.asarray else rearrange(frame, "c h w -> h w c"), own)


@pytest.mark.parametrize("compare", [False, "wipe"])
def test_callers_may_draw_on_frames(weights: Path, compare: bool | str) -> None:
    odd = noise(3, 45, 61)  # padded for the network, and cut from what it returns
    for frame in derain(odd, weights=weights, compare=compare):
        assert memoryview(frame).c_contiguous  # as OpenCV wants it
        frame[:] = 0
    for frame in derain(tensors(odd), weights=weights, compare=compare):
        assert frame.is_contiguous()
        frame.zero_()


def test_frames_that_must_not_be_written_to_are_no_concern(recwarn: pytest.WarningsRecorder) -> None:
    frames = np.frombuffer(noise(2).tobytes(), np.uint8).reshape(2, 48, 64, 3)
    np.testing.assert_array_equal(np.stack(list(derain(frames, weights="identity"))), frames)
    assert not recwarn.list


def test_it_is_a_generator_over_endless_video(weights: Path) -> None:
    def camera() -> Iterator[np.ndarray]:
        while True:
            yield from noise(3)

    stream = raincheck.derain(camera(), weights=weights)
    assert [next(stream).shape for _ in range(7)] == [(48, 64, 3)] * 7


def test_progress_is_reported_for_every_frame(tmp_path: Path) -> None:
    for video in (write_video(tmp_path / "a.mp4", noise(4)), noise(4)):
        seen: list[tuple[int, int | None]] = []
        derain(video, tmp_path / "b.mp4", weights="identity", progress=lambda *both, seen=seen: seen.append(both))
        assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_bad_frames_in_memory() -> None:
    cases = [
        ([], "the video has no frames"),
        ([noise(1)[0], noise(1, 20, 20)[0]], "frame 1 is 20x20 but the first is 64x48; give frames of one size"),
        (noise(2).astype(np.float32), r"frame 0 is float32 of shape \(48, 64, 3\); give uint8 RGB arrays"),
        (noise(2).transpose(0, 3, 1, 2), r"frame 0 is uint8 of shape \(3, 48, 64\); give uint8 RGB arrays \(h, w, 3\)"),
        (torch.from_numpy(noise(2)), r"frame 0 is torch.uint8 of shape \(48, 64, 3\); give .* or tensors \(3, h, w\)"),
        (noise(2)[..., [0, 1, 2, 2]], r"frame 0 is uint8 of shape \(48, 64, 4\); give uint8 RGB arrays"),
        (noise(1)[0], r"frame 0 is uint8 of shape \(64, 3\)"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), r"frame 0 is torch.uint8 of shape \(1, 8, 8\)"),
        ([Image.new("RGB", (8, 8))], "frame 0 is Image; give uint8 arrays"),
        (None, "a video cannot be NoneType; give a path, an array or frames"),
    ]
    for video, message in cases:
        with pytest.raises(InputError, match=message):
            list(derain(video, weights="identity"))


def test_mistakes_leave_nothing_behind(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(8))
    bad = write_folder(tmp_path / "bad", noise(8))
    Image.fromarray(noise(1)[0]).save(bad / "00006.png")
    (bad / "00006.png").write_bytes((bad / "00006.png").read_bytes()[:3000])  # found when half of the work is done
    before = listing(tmp_path)
    for source, output, options, error in [
        (tmp_path / "nowhere", "b.mp4", {}, InputError),
        (bad, "b.mp4", {}, InputError),
        (bad, "out", {}, InputError),
        (path, "b.mp4", {"weights": tmp_path / "no.safetensors"}, WeightsError),
        (path, "b.mp4", {"device": "abacus"}, ConfigError),
        (path, "no/b.mp4", {}, OutputError),
        (path, "a.mp4", {}, OutputError),
        (bad, "bad", {"overwrite": True}, OutputError),
    ]:
        with pytest.raises(error):
            derain(source, tmp_path / output, **{"weights": "identity", **options})
        assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (("w" * 300, "b.mp4", "identity"), InputError),
        (("a.png", "w" * 300, "identity"), OutputError),
        (("a.png", "w" * 300 + ".mp4", "identity"), OutputError),
        (("a.png", None, "w" * 300), WeightsError),
    ],
)
def test_names_that_no_disk_takes_are_mistakes_like_others(
    tmp_path: Path, names: tuple[str, str | None, str], error: type[RaincheckError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(noise(1)[0]).save("a.png")
    video, output, weights = names
    with pytest.raises(error) as caught:
        derain(video, output, weights=weights)
    long = max(filter(None, names), key=len)
    assert str(caught.value).startswith(f"{long} cannot be used (File name too long); choose a shorter name")
    assert listing(tmp_path) == ["a.png"]


@pytest.mark.parametrize(
    ("frames", "message"),
    [(torch.zeros(0, 3, 8, 8), "the video has no frames"), (torch.zeros(1, 3, 0, 8), r"of shape \(3, 0, 8\); give")],
)
def test_frames_in_which_there_is_nothing(frames: torch.Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(derain_frames(frames.byte(), Identity(), CPU))


def test_a_frame_that_changes_size_in_the_middle_of_a_video_is_refused() -> None:
    frames = [*tensors(noise(6)), torch.zeros(3, 40, 64, dtype=torch.uint8)]
    stream = derain_frames(frames, Identity(5), CPU)
    with pytest.raises(InputError, match="frame 6 is 64x40 but the first is 64x48"):
        list(stream)


@pytest.mark.parametrize("name", ["abacus", "cpu:x", "meta", "cuda:99"])
def test_devices_that_are_not_here(name: str) -> None:
    with pytest.raises(ConfigError, match=name.split(":")[0]):
        choose_device(name)


def test_it_starts_without_the_training_libraries() -> None:
    program = "import sys, raincheck.deraining; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = finish([sys.executable, "-c", program], check=True)
    heavy = {"lightning", "avalanche", "torchmetrics", "torchvision", "wandb", "matplotlib", "decord", "kornia", "rich"}
    assert heavy & set(done.stdout.split()) == set()
    assert "torch" in done.stdout.split()


@pytest.mark.parametrize(("output", "own"), [(None, False), ("out", True)])
def test_in_which_thread_frames_of_an_iterable_are_taken(tmp_path: Path, output: str | None, own: bool) -> None:
    threads = []

    def camera() -> Iterator[np.ndarray]:
        for frame in noise(4):
            yield frame
            threads.append(threading.get_ident())

    if output is None:
        list(derain(camera(), weights="identity"))
    else:
        derain(camera(), tmp_path / output, weights="identity")
    assert [thread != threading.get_ident() for thread in threads] == [own] * 4


@pytest.mark.parametrize("fps", [12.5, "12.5", "25/2", Fraction(25, 2), np.float32(12.5), torch.tensor(12.5)])
def test_numbers_of_any_library(tmp_path: Path, fps: Any) -> None:
    derain(noise(3), tmp_path / "out.mp4", weights="identity", fps=fps, tile=np.int64(128))
    with av.open(str(tmp_path / "out.mp4")) as written:
        assert written.streams.video[0].average_rate == Fraction(25, 2)


@pytest.mark.parametrize("fps", ["fast", "1/0", "", "1e99999999", (25, 1), float("nan"), float("inf"), torch.ones(2)])
def test_what_is_no_rate(tmp_path: Path, fps: Any) -> None:
    with pytest.raises(ConfigError, match=r" frames per second show nothing; give a number from "):
        derain(noise(3), tmp_path / "out.mp4", weights="identity", fps=fps)


@pytest.mark.parametrize("crf", ["18", 18.5])
def test_what_is_no_quality(tmp_path: Path, crf: Any) -> None:
    with pytest.raises(ConfigError, match=f"--crf cannot be {crf!r} with libx264; give 0, the best, to 51"):
        derain(noise(3), tmp_path / "out.mp4", weights="identity", crf=crf)
    assert not list(tmp_path.iterdir())
