"""Training on odd inputs, and one sentence for broken ones, whichever process meets them."""

import mmap
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch.utils.data import DataLoader

from hardinputs import BROKEN, LARGE, WHOLE
from program import PATIENCE
from raincheck.cli import main
from raincheck.datasets.clips import TrainClips
from raincheck.datasets.folder import PairedFolders
from raincheck.datasets.rendered import RenderedRain
from raincheck.errors import InputError
from raincheck.video.access import decord_reader
from raincheck.video.access.decord_reader import decord_is_installed
from stuckdecord import STUCK, fails_at_10
from tinyvideo import cut, noise, write_folder, write_photographs, write_video


def test_all_odd_inputs_at_once_in_linked_folders(tmp_path: Path) -> None:
    """Each is its own clean twin, by way of links; every training clip is then its own clean twin too."""
    (tmp_path / "rainy").mkdir()
    for name in WHOLE.keys() - LARGE:
        (tmp_path / "made" / name).mkdir(parents=True)
        WHOLE[name](tmp_path / "made" / name)
        (tmp_path / "rainy" / name).symlink_to(tmp_path / "made" / name)
    (tmp_path / "rainy" / "round and round").symlink_to(tmp_path / "rainy")
    (tmp_path / "clean").symlink_to(tmp_path / "rainy")
    videos = PairedFolders("all", "rainy", "clean", test=["one picture/in"], root=str(tmp_path)).task(0).train
    opened = {video.name.partition("/")[0] for video in videos}
    assert opened == WHOLE.keys() - LARGE - {"one picture"}
    data = TrainClips(videos, window=1, crop=8, samples=8 * len(videos), seed=0, experience=0)
    loader: DataLoader[Any] = DataLoader(data, batch_size=8, num_workers=2, timeout=PATIENCE)
    for rainy, clean, _ in loader:
        assert torch.equal(rainy[:, 0], clean)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_inputs_are_refused_before_training(tmp_path: Path, name: str) -> None:
    make, message = BROKEN[name]
    path = make(tmp_path)
    with pytest.raises(InputError, match=message):
        RenderedRain("a", "thin", train=[str(path)], photographs="bundled").task(0)


def learn(folder: Path, workers: str, **task: Any) -> int:
    """The exit code of a run on pairs in a folder."""
    settings = {
        "stream": {
            "tasks": [
                {
                    "class_path": "raincheck.datasets.folder.PairedFolders",
                    "init_args": {"name": "x", "rainy": "rainy", "clean": "clean", "root": str(folder), **task},
                }
            ],
            "crop": 16,
            "steps": 2,
        },
        "network": {"class_path": "raincheck.networks.RRGNet", "init_args": {"window": 3, "width": 4}},
        "batch": 2,
    }
    (folder / "c.yaml").write_text(yaml.safe_dump(settings))
    return main(["run", "--config", str(folder / "c.yaml"), "--workers", workers, "--out", str(folder / "out")])


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_frame_that_breaks_in_the_middle_of_training_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], workers: str
) -> None:
    """Its header is whole, so that only decoding finds it, in whatever process decodes."""
    for kind in ("rainy", "clean"):
        (tmp_path / kind).mkdir()
        for video in "ab":
            write_folder(tmp_path / kind / video, noise(3))
    for frame in (tmp_path / "rainy" / "a").iterdir():
        cut(frame, 0.5)
    assert learn(tmp_path, workers) == 2
    error = capfd.readouterr().err
    line = r"raincheck: error: \S+/rainy/a/0000[123].png is a broken image \([^\n]+\); save it again or leave it out\n"
    assert re.fullmatch(line, error), error


@pytest.mark.slow
@pytest.mark.skipif(not decord_is_installed(), reason="decord has no wheel here")
def test_a_decoder_that_stalls_in_a_worker_is_a_notice_and_the_run_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decord_reader, "_helper", None)
    monkeypatch.setattr(decord_reader, "_GIVEN_UP", mmap.mmap(-1, 4096))
    fails_at_10(monkeypatch, tmp_path, STUCK)
    for shift, kind in enumerate(("rainy", "clean")):
        (tmp_path / kind).mkdir()
        for video in "ab":
            write_video(tmp_path / kind / f"{video}.mp4", noise(16, seed=shift))
    assert learn(tmp_path, "1", test_frames=4) == 0
    stalled = "decord gave no answer in 1 seconds on {}/a.mp4; PyAV reads it from here on, more slowly"
    expected = [f"raincheck: notice: {stalled.format(tmp_path / kind)}" for kind in ("clean", "rainy")]
    assert sorted(capfd.readouterr().err.splitlines()) == expected


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_rain_falls_down_over_videos_that_are_stored_lying(tmp_path: Path, rotation: int) -> None:
    frames = noise(9, 48, 64)
    videos = [write_video(tmp_path / f"{name}.mp4", frames, rotation=rotation) for name in ("train", "test")]
    videos.append(write_video(tmp_path / "stored.mp4", frames))
    train, *test = map(str, videos)
    task = RenderedRain("a", "thin", train=[train], test=test).task(0)
    turned, stored = (video.read(0, 9)[1] for video in task.test)
    assert torch.equal(turned, torch.rot90(stored, rotation // 90, (-2, -1)))  # counter-clockwise, as players show it
    assert task.train[0].size == turned.shape[-2:]
    assert torch.equal(task.train[0].read(2, 5)[1], turned[2:7])


def test_rain_falls_down_over_folders_of_photographs_that_are_stored_lying(tmp_path: Path) -> None:
    frames = noise(9, 48, 64)
    folders = [write_photographs(tmp_path / str(turn), frames, turn) for turn in (6, 8, 1)]
    train, *test = map(str, folders)
    task = RenderedRain("a", "thin", train=[train], test=test).task(0)
    assert {video.size for video in (*task.train, *task.test)} == {(48, 64)}
    whole, again, third = (video.read(0, 9)[1] for video in (*task.train, *task.test))
    assert torch.equal(whole, again) and torch.equal(whole, third)
