"""FFmpeg's own programs, of which nothing here is made, look at what was written, and write what is read."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from program import PATIENCE, RAINCHECK, environment
from raincheck import derain
from tinyvideo import smooth
from tools import require_tool
from video.test_kept import film

pytestmark = pytest.mark.slow


def found(path: Path) -> dict[str, Any]:
    """What ffprobe sees: the kinds of streams, and the times of the video's frames in seconds."""
    words = ["-v", "error", "-show_entries", "stream=codec_type:frame=media_type,pts_time", "-of", "json", str(path)]
    done = subprocess.run([require_tool("ffprobe"), *words], capture_output=True, check=True, timeout=PATIENCE)
    shown = json.loads(done.stdout)
    times = [float(frame["pts_time"]) for frame in shown["frames"] if frame.get("media_type") == "video"]
    return {"streams": sorted(stream["codec_type"] for stream in shown["streams"]), "times": times}


def raw(path: Path) -> list[str]:
    """The command that writes a video's frames to standard output."""
    return [require_tool("ffmpeg"), "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]


def decoded(path: Path) -> np.ndarray:
    done = subprocess.run(raw(path), capture_output=True, check=True, timeout=PATIENCE)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, 48, 64, 3)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_every_stream_and_every_frame_is_there_at_its_time(tmp_path: Path, suffix: str) -> None:
    rainy = film(tmp_path / f"rainy{suffix}", subtitles=suffix == ".mkv")
    derained = tmp_path / f"derained{suffix}"
    derain(rainy, derained, weights="identity", crf=1)
    before, after = found(rainy), found(derained)
    # In mp4 the chapters' titles are a stream, too.
    other = {".mkv": "subtitle", ".mp4": "data"}[suffix]
    assert before["streams"] == after["streams"] == ["audio", other, "video"]
    assert len(before["times"]) == 50 and after["times"] == pytest.approx(before["times"], abs=0.001)
    assert np.abs(decoded(rainy).astype(int) - decoded(derained)).mean() < 2


def test_the_pipe_of_the_readme(tmp_path: Path) -> None:
    rainy, derained = film(tmp_path / "rainy.mp4"), tmp_path / "derained.mp4"
    options = ["--size", "64x48", "--fps", "25", "--weights", "identity", "--crf", "1"]
    with subprocess.Popen(raw(rainy), stdout=subprocess.PIPE) as writing:
        words = [*RAINCHECK, "derain", "-", str(derained), *options]
        subprocess.run(words, stdin=writing.stdout, env=environment(), check=True, timeout=PATIENCE)
    assert writing.returncode == 0
    assert found(derained)["times"] == pytest.approx([index / 25 for index in range(50)], abs=0.001)
    assert np.abs(decoded(derained).astype(int) - smooth(50)).mean() < 5
