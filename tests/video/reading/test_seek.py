"""A part of a video is the same whether it is sought or decoded from the beginning."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from av.video.frame import VideoFrame

from raincheck import derain
from raincheck.networks import RRGNet, save_weights
from raincheck.video.part import Moment, Part
from raincheck.video.reading import seek
from raincheck.video.reading.decode import open_stream
from tinyvideo import Frames, write_folder, write_video

LENGTH = 100
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "a.mp4": ("libx264", {"g": "12", "bf": "3"}),
    "open.mp4": ("libx264", {"x264-params": "open-gop=1:keyint=12:bframes=3"}),
    "a.mkv": ("libx265", {"x265-params": "keyint=12:log-level=none"}),
    "a.webm": ("libvpx-vp9", {"g": "12"}),
    "a.mov": ("prores_ks", {"pix_fmt": "yuv422p10le"}),
    "a.ts": ("mpeg2video", {"g": "12", "bf": "2"}),
    "a.avi": ("mpeg4", {"g": "12"}),
}
QUICK = ("open.mp4", "a.mkv", "a.ts")


def moving(count: int = LENGTH) -> Frames:
    """A square that goes to the right over a slope: no two frames are alike."""
    y, x = np.mgrid[:48, :64]
    frames = np.stack([np.stack([2 * x + y, 3 * y + t, 200 - x - t], axis=-1) for t in range(count)]).astype(np.uint8)
    for t in range(count):
        frames[t, 16:32, t % 56 : t % 56 + 8] = 250
    return frames


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = RRGNet(window=5, width=4)
    torch.nn.init.normal_(network.head.weight, std=0.2)
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_weights(network, path)
    return path


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many frames each pass over a file decodes."""
    passes: list[int] = []
    real = seek.decoded

    def counting(path: Path, since: Fraction | None = None) -> Iterator[VideoFrame]:
        passes.append(0)
        for frame in real(path, since):
            passes[-1] += 1
            yield frame

    monkeypatch.setattr(seek, "decoded", counting)
    return passes


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in FILES])
def test_a_part_is_the_same_as_of_the_whole(
    tmp_path: Path, weights: Path, name: str, decoded: list[int], recwarn: pytest.WarningsRecorder
) -> None:
    codec, options = FILES[name]
    path = write_video(tmp_path / name, moving(), codec, **options)
    whole = np.stack(list(derain(path, weights=weights)))
    for start, end in [(50, 53), (72, 73), (95, 100), (3, 6)]:
        decoded.clear()
        part = np.stack(list(derain(path, weights=weights, start=start / 25, end=end / 25)))
        np.testing.assert_array_equal(part, whole[start:end])
        if start >= 50:
            assert len(decoded) == 1 and decoded[0] <= (end - start) + 16 + 12 + 2 * 3 + 12
        frames = np.stack(list(derain(path, weights=weights, start=f"{start}f", end=f"{end}f")))
        np.testing.assert_array_equal(frames, part)
    assert not recwarn.list  # frames that were passed over are not missing


def test_variable_frame_rate(tmp_path: Path, weights: Path) -> None:
    stamps = [3 * i + i % 2 for i in range(60)] + [1000 + 200 * i for i in range(40)]
    path = write_video(tmp_path / "a.mp4", moving(), times=stamps, g="12")
    whole = np.stack(list(derain(path, weights=weights)))
    for start, end in [(1.0, 1.4), (5.0, 45.0), (40.0, 100.0), (320, 400)]:
        inside = [index for index, stamp in enumerate(stamps) if start <= stamp / 25 < end]
        part = np.stack(list(derain(path, weights=weights, start=start, end=end)))
        np.testing.assert_array_equal(part, whole[inside])


def test_what_cannot_be_sought_is_decoded_from_the_beginning(tmp_path: Path, decoded: list[int]) -> None:
    """One key frame in all."""
    path = write_video(tmp_path / "a.mp4", moving(), g="1000", sc_threshold="0", bf="0")
    part = list(derain(path, weights="identity", start=3.2, end=3.24))
    np.testing.assert_array_equal(part, list(derain(path, weights="identity"))[80:81])
    assert decoded[0] > 80


def test_a_codec_that_names_no_key_frame_is_decoded_from_the_beginning(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mov", moving(), "qtrle", pix_fmt="rgb24")
    part = list(derain(path, weights="identity", start=3.2, end=3.4))
    np.testing.assert_array_equal(part, moving()[80:85])


def test_a_container_that_seeks_too_far_is_decoded_from_the_beginning(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = write_video(tmp_path / "a.mp4", moving(), g="12"), seek.decoded
    whole = list(derain(path, weights=weights))
    beyond = Fraction(seek.MARGIN + 3, 25)  # the frames before the part are passed over too
    monkeypatch.setattr(seek, "decoded", lambda path, since=None: real(path, since and since + beyond))
    np.testing.assert_array_equal(list(derain(path, weights=weights, start=72 / 25, end=73 / 25)), whole[72:73])


@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])  # in the second, nothing is found there at all
def test_a_part_behind_the_end(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, moving(), g="12")
    with pytest.raises(seek.InputError, match=rf"{name} has no frame between --start and --end; choose other moments"):
        list(derain(path, weights="identity", start=60))


def test_images_outside_the_part_are_not_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", moving(20))
    for index in (1, 2, 3, 4, 13, 20):
        broken = folder / f"{index:05d}.png"
        broken.write_bytes(broken.read_bytes()[:200])  # the header is whole
    got = list(derain(folder, weights="identity", start="5f", end="11f"))
    np.testing.assert_array_equal(got, moving(20)[5:11])


def test_frames_around_a_part() -> None:
    part = Part(Moment(3), Moment(6))
    chosen = list(part.select(((index, Fraction(index, 25)) for index in range(20)), 2))
    assert [frame for frame, _, _ in chosen] == [1, 2, 3, 4, 5, 6, 7]
    assert [own for _, _, own in chosen] == [False, False, True, True, True, False, False]
    assert [frame for frame, _, _ in Part().select([("a", Fraction(0))], 2)] == ["a"]
    assert [Part(Moment(3), Moment(end)).count(20, Fraction(25)) for end in (2, 6, 99)] == [0, 3, 17]


def test_only_moments_in_seconds_are_sought(tmp_path: Path) -> None:
    second, frame = Moment(seconds=Fraction(2)), Moment(50)
    assert [Part(start, end).second for start in (None, second, frame) for end in (None, second, frame)] == [
        None, None, None, 2, 2, None, None, None, None,
    ]  # fmt: skip
    stream = open_stream(write_video(tmp_path / "a.mp4", moving(), g="12"))
    assert [picture.time for picture in stream.pictures(Part(second, None), 1)][:2] == [Fraction(49, 25), Fraction(2)]
