"""Inputs that are odd, but whole, are derained; those that are not are one sentence."""

import os
import re
import resource
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from raincheck import derain
from raincheck.errors import InputError, OutputError
from tinyvideo import Frames, cut, listing, noise, read_folder, read_video, smooth, write_folder, write_video

IDENTITY: dict[str, Any] = {"weights": "identity"}


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("10.mp4", "libx264", "yuv420p10le"),
        ("422.mov", "prores_ks", "yuv422p10le"),
        ("444.mp4", "libx264", "yuv444p"),
        ("grey.mkv", "ffv1", "gray"),
        ("grey16.mkv", "ffv1", "gray16le"),
        ("rgb.mkv", "ffv1", "bgr0"),
        ("rgba.mkv", "ffv1", "bgra"),
        ("gbrp.mkv", "libx264rgb", "bgr24"),
        ("alpha.webm", "libvpx-vp9", "yuva420p"),
        ("png.mov", "png", "rgb24"),
        ("full.mov", "mjpeg", "yuvj420p"),
        ("raw.avi", "rawvideo", "yuv420p"),
    ],
)
@pytest.mark.parametrize("output", ["b.mp4", "b.webm", "out"])
@pytest.mark.filterwarnings("ignore:.* bits a value and .* gets 8")  # expected
def test_pixel_formats(tmp_path: Path, name: str, codec: str, pix_fmt: str, output: str) -> None:
    frames = smooth(5)
    if pix_fmt.startswith("gray"):
        frames = frames.mean(axis=-1, keepdims=True).repeat(3, -1).round().astype(np.uint8)
    path = write_video(tmp_path / name, frames, codec, pix_fmt=pix_fmt)
    derain(path, tmp_path / output, **IDENTITY)
    got = read_folder(tmp_path / output) if output == "out" else read_video(tmp_path / output)
    assert got.shape == frames.shape and np.abs(got.astype(int) - frames).mean() < 2.5
    if output == "b.mp4":
        with av.open(str(tmp_path / output)) as file:  # only what is stored in full range is so again
            assert (next(file.decode(video=0)).color_range == 2) is (pix_fmt == "yuvj420p")


@pytest.mark.parametrize("field", ["tff", "bff"])
def test_interlaced_video_keeps_its_frames(tmp_path: Path, field: str) -> None:
    frames = smooth(12)
    path = write_video(tmp_path / "a.mp4", frames, flags="+ilme+ildct", **{"x264-params": f"{field}=1"})
    with av.open(str(path)) as file:
        assert next(file.decode(video=0)).interlaced_frame
    derain(path, tmp_path / "b.mp4", **IDENTITY)
    assert np.abs(read_video(tmp_path / "b.mp4").astype(int) - frames).mean() < 2


@pytest.mark.parametrize("size", [(1, 1), (1, 640), (2, 2), (33, 47), (3, 200)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = write_folder(tmp_path / "in", noise(3, *size))
    derain(folder, tmp_path / "out")  # the shipped network
    assert read_folder(tmp_path / "out").shape == (3, *size, 3)
    if min(size) > 1:  # no encoder takes one row
        derain(folder, tmp_path / "a.mp4", **IDENTITY)
        assert read_video(tmp_path / "a.mp4").shape == (3, *size, 3)


def test_images_of_all_kinds_in_one_folder_keep_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    colour = Image.fromarray(noise(1)[0])
    kinds = {
        "1.png": "L",
        "2.png": "RGBA",
        "3.png": "P",
        "4.png": "1",
        "5.png": "LA",
        "6.tif": "CMYK",
        "7.webp": "RGBA",
    }
    for name, mode in kinds.items():
        colour.convert(mode).save(folder / name)
    (folder / "Thumbs.db").touch()
    derain(folder, tmp_path / "out", **IDENTITY)
    assert listing(tmp_path / "out") == sorted(kinds)


@pytest.mark.parametrize(
    "name", ["wörld ☂ rain.mp4", "two  spaces .mp4", "-dash.mp4", "100%d.mp4", "a'b\"c.mp4", "line\nend.mp4"]
)
def test_names(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / "plain.mp4", smooth(3)).rename(tmp_path / name)
    (tmp_path / "out %03d ü").mkdir()
    assert derain(path, tmp_path / "out %03d ü" / name, **IDENTITY).name == name
    assert len(read_video(tmp_path / "out %03d ü" / name)) == 3
    derain(path, tmp_path / f"{name} frames", **IDENTITY)
    assert len(listing(tmp_path / f"{name} frames")) == 3


def test_links_to_inputs_and_folders(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", noise(3))
    (tmp_path / "link").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "00003.png").rename(tmp_path / "elsewhere.png")
    (tmp_path / "in" / "00003.png").symlink_to(tmp_path / "elsewhere.png")
    derain(tmp_path / "link", tmp_path / "out", **IDENTITY)
    np.testing.assert_array_equal(read_folder(tmp_path / "out"), noise(3))
    (tmp_path / "in" / "00004.png").symlink_to(tmp_path / "nowhere.png")  # a dangling link is no frame
    derain(tmp_path / "link", tmp_path / "again", **IDENTITY)
    assert len(listing(tmp_path / "again")) == 3
    with pytest.raises(OutputError, match="it is the input itself"):
        derain(tmp_path / "link", tmp_path / "in", overwrite=True, **IDENTITY)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable or unwritable for root")
def test_folders_that_must_not_be_read_or_written(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", noise(2))
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(OutputError, match=r"the folder .*locked is not writable; choose another"):
        derain(folder, locked / "out.mp4", **IDENTITY)
    folder.chmod(0o300)
    try:
        with pytest.raises(InputError, match=r"cannot be read .*; check its permissions"):
            derain(folder, tmp_path / "out", **IDENTITY)
    finally:
        folder.chmod(0o700)


def test_an_input_that_is_read_only(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", smooth(3))
    path.chmod(0o400)
    derain(path, tmp_path / "b.mp4", **IDENTITY)
    assert len(read_video(tmp_path / "b.mp4")) == 3


@pytest.mark.parametrize("content", [b"", bytes(3000)])
@pytest.mark.parametrize("name", ["a.mp4", "a.png", "in"])
def test_zeros(tmp_path: Path, content: bytes, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "1.png").write_bytes(content)
    (tmp_path / "a.mp4").write_bytes(content)
    (tmp_path / "a.png").write_bytes(content)
    before = listing(tmp_path)
    with pytest.raises(InputError, match=r"(is empty|is not a video|is not an image)"):
        derain(tmp_path / name, tmp_path / "out", **IDENTITY)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("output", ["b.mp4", "out"])
def test_a_corrupt_middle_names_the_frame_and_leaves_nothing(tmp_path: Path, output: str) -> None:
    path = write_video(tmp_path / "a.mp4", noise(12), bf="0")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 6] = bytes(len(content) // 6)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a.mp4 is corrupt at frame [3-7] \(.*; copy or download the file again"):
        derain(path, tmp_path / output, **IDENTITY)
    assert listing(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize(
    ("name", "codec", "length", "sentence"),
    [
        ("a.mp4", "libx264", 60, r"a.mp4 is damaged at frame \d+: FFmpeg fills in or leaves out what is missing; copy"),
        ("a.webm", "libvpx-vp9", None, r"a.webm ends after 0.\d of 1.6 s: frames are missing or damaged; copy"),
    ],
)
def test_damage_that_ffmpeg_gets_over_is_named(
    tmp_path: Path, name: str, codec: str, length: int | None, sentence: str, recwarn: pytest.WarningsRecorder
) -> None:
    path = write_video(tmp_path / name, noise(40), codec, bf="0")
    derain(path, tmp_path / "whole.mp4", **IDENTITY)
    assert not recwarn.list
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : length and middle + length] = bytes(length or len(content) - middle)
    path.write_bytes(content)
    derain(path, tmp_path / "b.mp4", **IDENTITY)
    (notice,) = [str(warning.message) for warning in recwarn]
    assert re.search(sentence, notice), notice


def bomb(path: Path) -> Path:
    """A PNG whose header alone says 60000 x 60000."""
    from zlib import crc32

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + crc32(kind + body).to_bytes(4, "big")

    header = (60000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    return path


def test_a_picture_of_60000_x_60000_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for source in (bomb(tmp_path / "a.png"), bomb(folder / "1.png").parent):
        with pytest.raises(InputError, match=r"\.png has more than 89 million pixels; give smaller frames"):
            derain(source, tmp_path / "out", **IDENTITY)


def test_more_files_than_a_process_may_have_open(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(noise(1, 8, 8)[0]).save(folder / "1.bmp")
    content = (folder / "1.bmp").read_bytes()
    for index in range(2, 401):
        (folder / f"{index}.bmp").write_bytes(content)
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(path.name) for path in Path("/dev/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 100, most))
    try:
        derain(folder, tmp_path / "out", **IDENTITY)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
    assert len(listing(tmp_path / "out")) == 400


def mkv_of_two_sizes(path: Path) -> Path:
    parts = [smooth(3), smooth(3, 64, 96)]
    with av.open(str(path), "w", format="mpegts") as file:
        track: Any = file.add_stream("mpeg2video", rate=25)
        track.height, track.width = 48, 64
        for index, frame in enumerate(pictures(parts[0])):
            frame.pts, frame.time_base = index, Fraction(1, 25)
            file.mux(track.encode(frame))
        file.mux(track.encode())
    other = path.with_suffix(".2")
    with av.open(str(other), "w", format="mpegts") as file:
        track = file.add_stream("mpeg2video", rate=25)
        track.height, track.width = 64, 96
        for index, frame in enumerate(pictures(parts[1]), start=3):
            frame.pts, frame.time_base = index, Fraction(1, 25)
            file.mux(track.encode(frame))
        file.mux(track.encode())
    path.write_bytes(path.read_bytes() + other.read_bytes())
    other.unlink()
    return path


def pictures(frames: Frames) -> list[Any]:
    return [av.VideoFrame.from_ndarray(frame, format="rgb24") for frame in frames]


def test_a_size_that_changes_in_the_middle_is_named(tmp_path: Path) -> None:
    path = mkv_of_two_sizes(tmp_path / "a.ts")
    with pytest.raises(InputError, match=r"changes from 64x48 to 96x64 at frame [23]; split it"):
        derain(path, tmp_path / "b.mp4", **IDENTITY)
    assert listing(tmp_path) == ["a.ts"]


def test_a_cut_file_is_refused_before_any_work(tmp_path: Path) -> None:
    path = cut(write_video(tmp_path / "a.mp4", noise(12)), 0.7)
    with pytest.raises(InputError, match="is truncated"):
        derain(path, tmp_path / "b.mp4", **IDENTITY)
    assert listing(tmp_path) == ["a.mp4"]
