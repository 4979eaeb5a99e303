"""decord decodes in a process of its own; where it fails, stalls or breaks down, PyAV takes over."""

import mmap
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from einops import rearrange
from torch.utils.data import DataLoader, Dataset

from program import PATIENCE, alive, environment, until
from raincheck.errors import RaincheckWarning
from raincheck.video.access import decord_reader
from raincheck.video.access.decord_reader import DecordError, DecordReader, StallError, decord_is_installed, end
from raincheck.video.access.footage import VideoFile
from raincheck.video.access.readers import EitherReader, PyAVReader
from stuckdecord import STUCK, fails_at_10
from tinyvideo import Frames, noise, read_video, write_video

pytestmark = pytest.mark.skipif(not decord_is_installed(), reason="decord has no wheel here")


def channels_last(frames: torch.Tensor) -> Frames:
    return rearrange(frames, "t c h w -> t h w c").numpy()


@pytest.fixture(autouse=True)
def own_helper(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test inherits a helper or what is known of files."""
    monkeypatch.setattr(decord_reader, "_helper", None)
    monkeypatch.setattr(decord_reader, "_GIVEN_UP", mmap.mmap(-1, 4096))
    yield
    if decord_reader._helper is not None:
        end(decord_reader._helper.process)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "a.mp4", noise(16))


@pytest.mark.parametrize("width", [24, 26])
def test_a_file_that_decord_refuses_is_read_by_pyav(tmp_path: Path, width: int) -> None:
    """decord 0.6 opens H.264 this narrow, and raises an error of its own at its frames."""
    path = write_video(tmp_path / "narrow.mp4", noise(8, 24, width))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames = VideoFile(path).read(3, 2)
    np.testing.assert_array_equal(channels_last(frames), read_video(path, exact=False)[3:5])


def test_what_decord_cannot_read_is_an_error_that_can_be_caught(tmp_path: Path, video: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    for path in (tmp_path / "text.mp4", tmp_path / "nowhere.mp4"):
        with pytest.raises(DecordError) as error:
            DecordReader(path).read(0, 1)
        assert not isinstance(error.value, StallError)
    assert DecordReader(video).count() == 16  # the same helper goes on


def test_more_files_than_stay_open(tmp_path: Path) -> None:
    paths = [write_video(tmp_path / f"{i}.mp4", noise(3, seed=i)) for i in range(10)]
    for path in paths * 2:
        np.testing.assert_array_equal(channels_last(DecordReader(path).read(1, 2)), read_video(path, exact=False)[1:])


def test_a_decoder_that_stalls_is_named_and_replaced(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_at_10(monkeypatch, tmp_path, STUCK)
    footage, expected = VideoFile(video), read_video(video, exact=False)
    assert isinstance(footage.reader, EitherReader)
    np.testing.assert_array_equal(channels_last(footage.read(2, 5)), expected[2:7])
    pid = decord_reader.helper().process.pid
    with pytest.warns(RaincheckWarning) as notices:
        frames = footage.read(8, 5)
    assert [str(notice.message) for notice in notices] == [
        f"decord gave no answer in 1 seconds on {video}; PyAV reads it from here on, more slowly"
    ]
    np.testing.assert_array_equal(channels_last(frames), expected[8:13])
    assert footage.reader.decord is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert isinstance(VideoFile(video).reader, PyAVReader)  # not tried again
    other = write_video(tmp_path / "b.mp4", noise(5))
    assert isinstance(VideoFile(other).reader, EitherReader)  # a new helper reads other files


def test_a_decoder_that_breaks_down_is_named_and_replaced(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_at_10(monkeypatch, tmp_path, "os.kill(os.getpid(), 11)")
    footage = VideoFile(video)
    with pytest.warns(RaincheckWarning, match=r"decord broke down \(exit code -11\) on .*a.mp4; PyAV reads it from"):
        frames = footage.read(0, 16)
    np.testing.assert_array_equal(channels_last(frames), read_video(video, exact=False))


def test_where_no_process_can_be_started_pyav_reads(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    np.testing.assert_array_equal(channels_last(VideoFile(video).read(2, 3)), read_video(video, exact=False)[2:5])


class OneFrame(Dataset[torch.Tensor]):
    def __init__(self, path: Path) -> None:
        self.video = VideoFile(path)

    def __len__(self) -> int:
        return len(self.video)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.video.read(index, 1)[0]


def test_workers_do_not_hang_and_learn_from_each_other(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_at_10(monkeypatch, tmp_path, STUCK)
    frames = OneFrame(video)
    expected = read_video(video, exact=False)
    for _ in range(2):
        loader: DataLoader[torch.Tensor] = DataLoader(frames, batch_size=None, num_workers=2, timeout=PATIENCE)
        np.testing.assert_array_equal(channels_last(torch.stack(list(loader))), expected)
    # What a worker has found out is known here, so that the workers to come do not wait again.
    assert isinstance(VideoFile(video).reader, PyAVReader)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux which processes there are")
def test_a_helper_ends_with_the_process_that_started_it(video: Path) -> None:
    program = (
        "import sys; from raincheck.video.access import decord_reader as d; from pathlib import Path\n"
        f"d.DecordReader(Path({str(video)!r})).read(0, 2); print(d.helper().process.pid, flush=True); sys.stdin.read()"
    )
    words, pipe = [sys.executable, "-c", program], subprocess.PIPE
    parent = subprocess.Popen(words, env=environment(), stdin=pipe, stdout=pipe)
    assert parent.stdout is not None and parent.stdin is not None
    helper = int(parent.stdout.readline())
    assert alive(helper)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    until(lambda: not alive(helper), "the end of the helper")


def test_a_picture_that_is_turned_is_not_believed(tmp_path: Path) -> None:
    """decord applies a display rotation of the file, and everything else takes frames as they are stored."""
    path = write_video(tmp_path / "a.mp4", noise(6), rotation=180)
    np.testing.assert_array_equal(channels_last(VideoFile(path).read(2, 3)), read_video(path, exact=False)[2:5])
