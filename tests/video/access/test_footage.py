"""Reading video at random positions."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from einops import rearrange
from PIL import Image

from deraining.test_hard_inputs import mkv_of_two_sizes
from program import finish
from raincheck.errors import InputError
from raincheck.video.access.decord_reader import DecordReader
from raincheck.video.access.footage import FrameFolder, VideoFile, open_footage
from raincheck.video.access.readers import EitherReader, PyAVReader
from tinyvideo import Frames, cut, noise, read_video, write_folder, write_video

DATA = Path(__file__).parents[3] / ".." / "shared" / "data" / "clean"


def channels_last(frames: torch.Tensor) -> Frames:
    return rearrange(frames, "t c h w -> t h w c").numpy()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """30 frames with B-frames and a key frame at every tenth."""
    return write_video(tmp_path / "a.mp4", noise(30), g="10")


@pytest.mark.parametrize(("start", "count"), [(0, 1), (0, 30), (9, 3), (10, 5), (29, 1), (13, 4)])
def test_both_readers_return_what_pyav_decodes_in_order(video: Path, start: int, count: int) -> None:
    expected = read_video(video, exact=False)[start : start + count]
    by_pyav = PyAVReader(video, VideoFile(video).times).read(start, count)
    np.testing.assert_array_equal(channels_last(by_pyav), expected)
    if sys.platform == "linux":
        np.testing.assert_array_equal(channels_last(DecordReader(video).read(start, count)), expected)
        assert isinstance(VideoFile(video).reader, EitherReader)


@pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.webm"])
def test_other_containers(tmp_path: Path, name: str) -> None:
    codec = {"a.avi": "mpeg4", "a.mkv": "libx264", "a.webm": "libvpx-vp9"}[name]
    path = write_video(tmp_path / name, noise(20), codec, g="5")
    expected, footage = read_video(path, exact=False), VideoFile(path)
    for reader in (footage, PyAVReader(path, footage.times)):
        for start in (13, 2, 17):
            np.testing.assert_array_equal(channels_last(reader.read(start, 3)), expected[start : start + 3])


def test_without_times_frames_are_counted_from_the_beginning(video: Path) -> None:
    frames = PyAVReader(video, [None] * 30).read(17, 4)
    np.testing.assert_array_equal(channels_last(frames), read_video(video, exact=False)[17:21])


def test_without_decord_pyav_reads(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "decord", None)  # `import decord` raises ImportError
    footage = VideoFile(video)
    np.testing.assert_array_equal(channels_last(footage.read(12, 5)), read_video(video, exact=False)[12:17])
    assert isinstance(footage.reader, PyAVReader)


def test_a_part_is_a_slice(video: Path) -> None:
    whole, part = VideoFile(video), VideoFile(video, 5, -10)
    assert (len(whole), len(part), part.size, whole.name, part.name) == (30, 15, (48, 64), "a", "a[5:-10]")
    assert torch.equal(part.read(3, 4), whole.read(8, 4))
    for start, count in ((-1, 1), (14, 2), (0, 16), (0, 0)):
        with pytest.raises(InputError, match="has 15 frames, so frames"):
            part.read(start, count)
    with pytest.raises(InputError, match=r"has 30 frames, none of them in \[30:\]"):
        VideoFile(video, 30)


def test_an_open_file_is_pickled(video: Path) -> None:
    footage = VideoFile(video)
    frames = footage.read(3, 2)
    assert torch.equal(pickle.loads(pickle.dumps(footage)).read(3, 2), frames)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data beside the project")
def test_a_reader_open_at_exit_does_not_crash_the_interpreter() -> None:
    """A busy decord reader beside torch does, nearly always, if nobody lets go of it first."""
    video = DATA / "running_car.mp4"
    program = (
        f"from raincheck.video.access.footage import VideoFile\nv = VideoFile({str(video)!r})\n"
        "v.read(100, 5)\nprint('read')"
    )
    done = finish([sys.executable, "-c", program])
    assert (done.returncode, done.stdout, done.stderr) == (0, "read\n", "")


def test_a_folder_is_footage_too(tmp_path: Path) -> None:
    frames = noise(7)
    folder = write_folder(tmp_path / "in", frames)
    (folder / "Thumbs.db").touch()
    footage = open_footage(folder, 2)
    assert isinstance(footage, FrameFolder)
    assert (len(footage), footage.size, footage.name) == (5, (48, 64), "in[2:]")
    np.testing.assert_array_equal(channels_last(footage.read(1, 3)), frames[3:6])
    with pytest.raises(InputError, match="has 5 frames, so frames 4 to 5"):
        footage.read(4, 2)


def test_bad_footage_is_refused_when_it_is_opened(tmp_path: Path, video: Path) -> None:
    with pytest.raises(InputError, match="there is no video at"):
        open_footage(tmp_path / "nowhere.mp4")
    with pytest.raises(InputError, match="is truncated"):
        open_footage(cut(video, 0.5))
    with pytest.raises(InputError, match=r"b\.ts has frames of different sizes; split it where the size changes"):
        open_footage(mkv_of_two_sizes(tmp_path / "b.ts"))
    folder = write_folder(tmp_path / "in", noise(2))
    Image.fromarray(noise(1, 20, 20)[0]).save(folder / "9.png")
    with pytest.raises(InputError, match=r"9.png is 20x20 but 00001.png is 64x48"):
        open_footage(folder)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data beside the project")
@pytest.mark.parametrize("name", ["highway.avi", "cockatoo.mp4", "running_car.mp4"])
def test_files_that_mislead_decord(name: str) -> None:
    """Packed MPEG-4 with empty packets; 4:4:4 H.264 of an old x264, broken after seeking; a plain one."""
    footage, expected = VideoFile(DATA / name), {}
    starts = (250, 100, 145)
    import av

    with av.open(str(DATA / name)) as file:
        for index, frame in enumerate(file.decode(video=0)):
            if index in starts:
                expected[index] = frame.to_ndarray(format="rgb24")
    for start in starts:
        np.testing.assert_array_equal(channels_last(footage.read(start, 1))[0], expected[start])
