"""Writing video: files and folders, whole or not at all."""

import errno
import fcntl
import os
import resource
import signal
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from einops import rearrange
from PIL import Image

from raincheck.errors import OutputError
from raincheck.video.display import turned
from raincheck.video.reading.decode import open_stream
from raincheck.video.writing.encode import open_writer
from raincheck.video.writing.look import Look
from raincheck.video.writing.output import check_output
from tinyvideo import Frames, listing, noise, read_folder, read_video, smooth, write_folder, write_video

VIDEOS = ["a.mp4", "a.m4v", "a.mov", "a.mkv", "a.webm", "a.avi"]


def write(output: Path, frames: Frames, fps: Fraction = Fraction(25), **options: object) -> None:
    look = Look(fps, frames.shape[1:3], display=options.pop("display", ()))  # type: ignore[arg-type]
    with open_writer(output, look, **options) as writer:  # type: ignore[arg-type]
        for frame in torch.from_numpy(frames):
            writer.write(rearrange(frame, "h w c -> c h w"))


@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize(("height", "width"), [(48, 64), (33, 47), (720, 64)])
def test_frames_colours_sizes_and_rates_come_back(tmp_path: Path, name: str, height: int, width: int) -> None:
    frames = smooth(6, height, width)
    write(tmp_path / name, frames, Fraction(30000, 1001))
    got = read_video(tmp_path / name)
    assert got.shape == frames.shape
    assert np.abs(got.astype(int) - frames).mean() < 2
    with av.open(str(tmp_path / name)) as file:
        assert file.streams.video[0].average_rate == Fraction(30000, 1001)
    assert listing(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
@pytest.mark.parametrize("height", [48, 720])
def test_saturated_colours_are_tagged_with_their_matrix(tmp_path: Path, name: str, height: int) -> None:
    """A wrong matrix moves pure green by some 30 grey levels."""
    frames = np.zeros((3, height, 736, 3), np.uint8)
    frames[:] = (0, 255, 0)
    write(tmp_path / name, frames)
    assert np.abs(read_video(tmp_path / name).astype(int) - frames).max() <= 3
    with av.open(str(tmp_path / name)) as file:
        frame = next(file.decode(video=0))
        assert (frame.colorspace, frame.color_range) == (6 if height < 720 else 1, 1)


def test_without_x264_mpeg4_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    frames = smooth(5, 33, 47)
    write(tmp_path / "a.mp4", frames, Fraction(2775771, 92228))  # too fine a clock for mpeg4
    got = read_video(tmp_path / "a.mp4")
    assert got.shape == frames.shape
    assert np.abs(got.astype(int) - frames).mean() < 3
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert float(file.streams.video[0].average_rate or 0) == pytest.approx(2775771 / 92228, rel=1e-5)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm"])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, -90, 180])
def test_all_eight_orientations_are_kept(tmp_path: Path, name: str, rotation: int, mirrored: bool) -> None:
    path = write_video(tmp_path / "in.mp4", smooth(3), rotation=rotation, mirrored=mirrored)
    display = open_stream(path).display
    assert (turned(display), bool(display)) == (rotation, rotation != 0 or mirrored)
    write(tmp_path / name, smooth(3), display=display)
    assert open_stream(tmp_path / name).display == display


def test_a_folder_gets_the_names_it_is_given_and_nothing_else(tmp_path: Path) -> None:
    frames = noise(4)
    names = ["b.png", "a.bmp", "x 1.tif", "z.webp"]
    write(tmp_path / "out", frames, names=names)
    assert listing(tmp_path / "out") == sorted(names)
    for name, frame in zip(names, frames, strict=True):
        np.testing.assert_array_equal(np.array(Image.open(tmp_path / "out" / name).convert("RGB")), frame)
    assert listing(tmp_path) == ["out"]


def test_jpeg_keeps_the_chroma_of_every_pixel(tmp_path: Path) -> None:
    write(tmp_path / "out", smooth(1), names=["a.JPG"])
    image = Image.open(tmp_path / "out" / "a.JPG")
    assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
    assert np.abs(np.array(image).astype(int) - smooth(1)[0]).max() <= 4


def test_frames_of_a_video_are_numbered_from_one(tmp_path: Path) -> None:
    frames = noise(11)
    write(tmp_path / "out", frames)
    assert listing(tmp_path / "out")[::10] == ["00001.png", "00011.png"]
    np.testing.assert_array_equal(read_folder(tmp_path / "out"), frames)


@pytest.mark.parametrize("output", ["a.mp4", "a.webm", "a.avi", "folder"])
@pytest.mark.parametrize("written", [0, 3])
def test_an_interrupted_writer_leaves_nothing(tmp_path: Path, output: str, written: int) -> None:
    frame = torch.zeros(3, 48, 64, dtype=torch.uint8)
    with pytest.raises(KeyboardInterrupt), open_writer(tmp_path / output, Look(Fraction(25), (48, 64))) as writer:
        for _ in range(written):
            writer.write(frame)
        raise KeyboardInterrupt
    assert listing(tmp_path) == []


def test_an_interrupted_writer_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"precious")
    write_folder(tmp_path / "out", noise(2))
    for output in ("a.mp4", "out"):
        with (
            pytest.raises(KeyboardInterrupt),
            open_writer(tmp_path / output, Look(Fraction(25), (48, 64)), overwrite=True) as writer,
        ):
            writer.write(torch.zeros(3, 48, 64, dtype=torch.uint8))
            raise KeyboardInterrupt
    assert (tmp_path / "a.mp4").read_bytes() == b"precious"
    np.testing.assert_array_equal(read_folder(tmp_path / "out"), noise(2))
    assert listing(tmp_path) == ["a.mp4", "out"]


@pytest.mark.parametrize("output", ["a.mp4", "a.mkv", "a.webm", "a.avi", "folder"])
def test_a_file_that_cannot_grow_is_one_sentence_and_leaves_nothing(tmp_path: Path, output: str) -> None:
    """A limit on file sizes stands for the full disk: writing fails in the middle, or only when the file is closed."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, before[1]))
    try:
        with pytest.raises(OutputError, match=rf"cannot write .*{output}: File too large; choose a writable place"):
            write(tmp_path / output, noise(10))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert listing(tmp_path) == []


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OutputError, match=r"cannot write .*out: No space left on device; choose"):
        write(tmp_path / "out", noise(2))
    assert listing(tmp_path) == []


def test_existing_outputs(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", noise(3))
    write(tmp_path / "a.mp4", smooth(5))  # a file is replaced
    assert len(read_video(tmp_path / "a.mp4")) == 5
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", noise(2))  # so is an empty folder
    with pytest.raises(OutputError, match="the folder is not empty; empty it, choose another, or use --overwrite"):
        write(tmp_path / "empty", noise(3))
    write(tmp_path / "empty", noise(3), overwrite=True)
    assert len(listing(tmp_path / "empty")) == 3
    write(tmp_path / "empty", noise(3), overwrite=True, names=["1.PNG", "2.PNG", "3.PNG"])
    write(tmp_path / "empty", noise(3), overwrite=True)
    (tmp_path / "empty" / "album.png").mkdir()
    with pytest.raises(OutputError, match=r"it holds album.png, which is not a frame"):
        write(tmp_path / "empty", noise(2), overwrite=True)
    (tmp_path / "empty" / "album.png").rmdir()
    (tmp_path / "empty" / "thesis.tex").touch()
    with pytest.raises(OutputError, match=r"it holds thesis.tex, which is not a frame"):
        write(tmp_path / "empty", noise(2), overwrite=True)
    assert len(listing(tmp_path / "empty")) == 4


def test_an_existing_folder_stays_the_folder_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory that was replaced would be gone from under whoever stands in it."""
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.chdir(out)
    before = out.stat().st_ino
    write(Path(), noise(2))
    assert listing(Path()) == ["00001.png", "00002.png"]
    write(Path(), noise(3)[:1], overwrite=True)
    assert listing(Path()) == ["00001.png"] and out.stat().st_ino == before
    assert listing(tmp_path) == ["out"]


def test_a_mount_point_is_an_output(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "tmpfs", str(disk)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        for count in (3, 2):
            write(disk, noise(count), overwrite=True)
            np.testing.assert_array_equal(read_folder(disk), noise(count))
    finally:
        subprocess.run(["umount", str(disk)], check=False)


@pytest.mark.parametrize(
    ("error", "seen"),
    [(OSError(errno.EIO, os.strerror(errno.EIO)), OutputError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_frames_that_cannot_be_put_in_place_leave_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, seen: type[BaseException]
) -> None:
    folder = write_folder(tmp_path / "out", noise(3))
    rename, left = Path.rename, iter(range(5))

    def failing(path: Path, target: Path) -> Path:
        if next(left, None) == 4:
            raise error
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(seen, match=r"Input/output error|^$"):
        write(folder, smooth(3), overwrite=True)
    np.testing.assert_array_equal(read_folder(folder), noise(3))
    assert listing(tmp_path) == ["out"]


@pytest.mark.parametrize("output", ["a.mp4", "a.png", "new", "there"])
def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(tmp_path: Path, output: str) -> None:
    (tmp_path / "there").mkdir()
    look, frame = Look(Fraction(25), (48, 64)), torch.zeros(3, 48, 64, dtype=torch.uint8)
    source = tmp_path / "in.png"
    killed = os.fork()
    if killed == 0:
        with open_writer(tmp_path / output, look, source=source) as writer:
            for _ in range(1 if output == "a.png" else 2):
                writer.write(frame)
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(killed, 0)
    before = listing(tmp_path) + listing(tmp_path / "there")
    assert sum("partial" in name for name in before) == 1
    with open_writer(tmp_path / output, look, source=source) as writer:
        writer.write(frame)
        with (
            pytest.raises(OutputError, match="another process is writing it"),
            open_writer(tmp_path / output, look, source=source),
        ):
            pass
    assert listing(tmp_path) == sorted({output, "there"})
    if output in ("new", "there"):
        assert listing(tmp_path / output) == ["00001.png"]  # and nothing of the killed one's


def test_a_link_is_followed(tmp_path: Path) -> None:
    target = write_video(tmp_path / "a.mp4", noise(3))
    (tmp_path / "link.mp4").symlink_to(target)
    write(tmp_path / "link.mp4", smooth(5))
    assert (tmp_path / "link.mp4").is_symlink()
    assert len(read_video(target)) == 5


def test_outputs_in_the_way_of_the_input(tmp_path: Path) -> None:
    file = write_video(tmp_path / "a.mp4", noise(3))
    folder = write_folder(tmp_path / "in", noise(2))
    (tmp_path / "link.mp4").symlink_to(file)
    (tmp_path / "hard.mp4").hardlink_to(file)
    for source, output, message in [
        (file, file, "it is the input itself"),
        (file, tmp_path / "link.mp4", "it is the input itself"),
        (file, tmp_path / "hard.mp4", "it is the input itself"),
        (file, tmp_path / "in" / ".." / "a.mp4", "it is the input itself"),
        (folder, folder, "it is the input itself"),
        (folder, folder / "out", "it is inside the input"),
        (folder, folder / "out.mp4", "it is inside the input"),
        (folder, tmp_path, "the input .* is inside it"),
    ]:
        with pytest.raises(OutputError, match=message):
            check_output(output, source, overwrite=True)


def test_outputs_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "a.mp4").mkdir()
    for output, message in [
        ("nowhere/a.mp4", "there is no folder .*nowhere; create it first"),
        ("file/a.mp4", "there is no folder .*file; create it first"),
        ("file", "it is a file; name a folder"),
        ("a.mp4", "it is a folder; give the name of a file"),
        ("a.gif", "gif is not written; name a .mp4"),
        ("a.xyz", "xyz is not written; name a .mp4, .m4v, .mov, .mkv, .webm, .avi file, or a folder without an"),
        ("a.mp5", "mp5 is not written"),
        ("a.MTS", "MTS is not written; name a .mp4"),
        ("a.mxf", "mxf is not written"),
        ("a.vob", "vob is not written"),
        ("a.heic", "heic is not written"),
        ("a.png", "one image holds no video; name a .mp4"),
    ]:
        with pytest.raises(OutputError, match=message):
            check_output(tmp_path / output)


def test_folders_with_a_dot_in_their_names(tmp_path: Path) -> None:
    (tmp_path / "there.xyz").mkdir()
    source = write_folder(tmp_path / "scene.rain", noise(2))
    (tmp_path / "link").symlink_to(source)
    for output in ("there.xyz", "v1.2", "2026.11.22", "clip.mp4_frames", ".hidden", "a. b"):
        assert check_output(tmp_path / output) == tmp_path / output
    for given in (source, tmp_path / "link"):
        assert check_output(tmp_path / "there.xyz" / "scene.rain", given).name == "scene.rain"
    assert check_output(tmp_path / "other.rain", source) == tmp_path / "other.rain"
    with pytest.raises(OutputError, match=r"\.mpg is not written"):
        check_output(tmp_path / "other.mpg", source)
    with pytest.raises(OutputError, match=r"\.tga is not written; name a .mp4, .*, .png, .* file"):
        check_output(tmp_path / "a.tga", tmp_path / "a.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_an_unwritable_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="is not a folder that can be written to; choose another place"):
            check_output(tmp_path / "a.mp4")
    finally:
        tmp_path.chmod(0o700)


MOMENTS = [(os, "open"), (fcntl, "flock"), (os.path, "samestat")]


@pytest.mark.parametrize(
    ("output", "place", "name"),
    [("out", Path, "mkdir"), *((output, *moment) for output in ("out", "a.mp4") for moment in MOMENTS)],
)
def test_ctrl_c_at_the_very_beginning_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, place: Any, name: str
) -> None:
    """As soon as something of the output is there, before anybody has been told that it is ours."""
    real, armed = getattr(place, name), [True]

    def interrupted(*arguments: Any, **options: Any) -> Any:
        result = real(*arguments, **options)
        if armed and any(tmp_path.iterdir()):
            armed.clear()
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(place, name, interrupted)
    with pytest.raises(KeyboardInterrupt), open_writer(tmp_path / output, Look(Fraction(25), (16, 16))):
        pytest.fail("there is no output to write to")
    assert not armed and not any(tmp_path.iterdir())
