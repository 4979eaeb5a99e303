"""Rendered rain: determinism, independence of workers and order, disjoint footage."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from jsonargparse import ArgumentParser
from torch import Tensor
from torch.utils.data import DataLoader

from raincheck.datasets.base import TaskSource
from raincheck.datasets.clips import TestClips, TrainClips
from raincheck.datasets.excerpt import CentreCrop, Excerpt, hold_excerpt
from raincheck.datasets.photographs import TEST, bundled_photographs
from raincheck.datasets.rendered import RenderedRain
from raincheck.datasets.rendering.video import RenderedVideo
from raincheck.errors import ConfigError, InputError
from raincheck.rain.parameters import Rain
from raincheck.rain.presets import PRESETS, find_rain
from raincheck.rain.render import render

CLEAN = Path(__file__).parents[3] / ".." / "shared" / "data" / "clean"


class Noise:
    """Footage of 9 noise frames of 70x90 that says where every pixel comes from."""

    name = "noise"
    size = (70, 90)

    def __len__(self) -> int:
        return 9

    def read(self, start: int, count: int) -> Tensor:
        pixels = np.random.default_rng(0).integers(0, 256, (9, 3, 70, 90), dtype=np.uint8)
        return torch.from_numpy(pixels[start : start + count])


def clips(videos: Any, **changes: int) -> TrainClips:
    return TrainClips(videos, **{"window": 5, "crop": 48, "samples": 12, "seed": 3, "experience": 1, **changes})


def test_reading_gives_the_same_frames_in_any_window() -> None:
    video = RenderedVideo(Noise(), (PRESETS["veil"],), 4)
    rainy, clean = video.read(0, 9)
    assert torch.equal(clean, Noise().read(0, 9))
    assert torch.equal(rainy, render(clean, PRESETS["veil"], 4).rainy)
    for i in (0, 5, 8):
        assert torch.equal(RenderedVideo(Noise(), (PRESETS["veil"],), 4).read(i, 1)[0], rainy[i : i + 1])
    assert not torch.equal(RenderedVideo(Noise(), (PRESETS["veil"],), 5).read(0, 9)[0], rainy)


def test_a_training_clip_is_a_window_of_the_footage_under_rain() -> None:
    video = RenderedVideo(Noise(), (PRESETS["dense"],))
    rainy, clean = video.sample(np.random.default_rng(8), 5, 32)
    windows = Noise().read(0, 9).unfold(2, 32, 1).unfold(3, 32, 1)
    found = (windows[:5, 0] == clean[0, 0]).all(-1).all(-1).nonzero()
    assert len(found) == 1
    start, top, left = found[0].tolist()
    assert torch.equal(clean, Noise().read(start, 5)[..., top : top + 32, left : left + 32])
    assert not torch.equal(rainy, clean)


def test_footage_too_small_for_the_crop_is_refused() -> None:
    with pytest.raises(InputError, match="noise: 9 frames of 90x70 are too few or too small"):
        RenderedVideo(Noise(), (PRESETS["thin"],)).sample(np.random.default_rng(0), 5, 72)


@pytest.mark.parametrize("kind", ["noise", "photographs"])
def test_samples_depend_neither_on_workers_nor_on_order(kind: str) -> None:
    rain = RenderedRain("wind", "wind", photographs="bundled")
    videos = [RenderedVideo(Noise(), (PRESETS["wind"],))] if kind == "noise" else rain.task(0).train
    data = clips(videos)
    alone, together = (
        list(DataLoader(data, batch_size=4, num_workers=workers, multiprocessing_context="fork" if workers else None))
        for workers in (0, 2)
    )
    for one, two in zip(alone, together, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert torch.equal(clips(videos)[7][0], alone[1][0][3])
    assert not torch.equal(clips(videos, seed=4)[7][0], alone[1][0][3])


def test_variations_differ_but_clean_footage_is_shared_by_rain_types() -> None:
    thin, veil = (clips(RenderedRain(name, name, photographs="bundled").task(0).train) for name in ("thin", "veil"))
    assert torch.equal(thin[2][1], veil[2][1])
    assert not torch.equal(thin[2][0], veil[2][0])


def test_demo_task_trains_and_tests_on_different_photographs() -> None:
    task = RenderedRain("thin", "thin", photographs="bundled").task(0)
    assert task.name == "thin"
    shown = [
        {id(picture) for video in videos for picture in (video.footage.image, *video.footage.cutouts)}
        for videos in (task.train, [RenderedVideo(v.footage.footage, v.rains) for v in task.test])
    ]
    assert shown[0] and shown[1] and not shown[0] & shown[1]
    assert {len(v) for v in task.test} == {24} and {v.size for v in task.test} == {(192, 256)}
    again = RenderedRain("thin", "thin", photographs="bundled").task(99)
    assert torch.equal(task.test[0].read(3, 2)[0], again.test[0].read(3, 2)[0])


@pytest.mark.parametrize(("name", "low", "high"), [("thin", 23, 30), ("veil", 20, 26), ("wind", 22, 29)])
def test_demo_rains_are_as_strong_as_documented(name: str, low: float, high: float) -> None:
    videos = RenderedRain(name, name, photographs="bundled", test_frames=4).task(0).test
    assert len(videos) == len(TEST)
    for video in videos:
        rainy, clean = (frames.double() for frames in video.read(0, 4))
        weights = torch.tensor([65.481, 128.553, 24.966], dtype=torch.float64)[:, None, None] / 255
        error = ((rainy - clean) * weights).sum(1).square().mean()
        assert low < 10 * torch.log10(255**2 / error) < high


def test_test_clips_keep_to_the_size_asked_for() -> None:
    part = CentreCrop(Noise(), 4, (20, 200))
    assert len(part) == 4 and part.size == (20, 90)
    assert torch.equal(part.read(1, 2), Noise().read(1, 2)[:, :, 25:45])
    assert len(TestClips([RenderedVideo(part, (PRESETS["thin"],))], window=5, experience=0)) == 4


@pytest.mark.parametrize(
    ("text", "start", "stop"), [("a/b.mp4", None, None), ("a/b.mp4[3:9]", 3, 9), ("a/b.mp4[:-2]", None, -2)]
)
def test_clips_are_written_as_slices(text: str, start: int | None, stop: int | None) -> None:
    assert Excerpt.parse(text, Path("root")) == Excerpt(Path("root/a/b.mp4"), start, stop)


def test_a_video_in_both_parts_is_refused() -> None:
    message = "task x trains and tests on r/a.mp4; give each video to one of the two"
    with pytest.raises(ConfigError) as error:
        RenderedRain("x", "thin", train=["a.mp4[0:30]"], test=["./a.mp4[29:40]"], root="r")
    assert str(error.value) == message
    RenderedRain("x", "thin", train=["a.mp4[0:30]"], test=["a.mp4[30:40]"], root="r")


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("", "[30:40]"),
        ("[30:40]", ""),
        ("[:31]", "[30:]"),
        ("[30:]", "[:31]"),
        ("[0:-5]", "[30:40]"),
        ("[-5:]", "[:9]"),
    ],
)
def test_parts_that_may_show_one_frame_are_refused(train: str, test: str) -> None:
    with pytest.raises(ConfigError, match=r"^task x trains and tests on a\.mp4; give each video to one of the two$"):
        RenderedRain("x", "thin", train=[f"a.mp4{train}"], test=[f"a.mp4{test}"])


@pytest.mark.parametrize(("train", "test"), [("[:30]", "[30:]"), ("[30:]", "[:30]"), ("[10:20]", "[20:30]")])
def test_parts_that_show_no_common_frame_are_taken(train: str, test: str) -> None:
    RenderedRain("x", "thin", train=[f"a.mp4{train}"], test=[f"a.mp4{test}"])


@pytest.mark.parametrize("speed", [-5.0, math.nan, math.inf])
def test_speeds_that_are_none_are_refused(speed: float) -> None:
    with pytest.raises(ConfigError, match=f"^task a: speed must be 0 or more, not {speed}$"):
        RenderedRain("a", "thin", photographs="bundled", speed=speed)


def test_unknown_rains_and_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="no rain is called 'storm'"):
        RenderedRain("x", "storm")
    with pytest.raises(ConfigError, match="needs one or more rains"):
        RenderedRain("x", [])
    with pytest.raises(ConfigError, match="must be 1 or more"):
        RenderedRain("x", "thin", test_frames=0)


@pytest.mark.parametrize("rain", ["thin", ["thin", "veil"], {"rate": 7.0, "wind": 2.0}])
def test_yaml_configures_a_rain(rain: Any) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--tasks", type=list[TaskSource])
    arguments = {"name": "a", "rain": rain, "test_size": [32, 40]}
    source = {"class_path": "raincheck.datasets.rendered.RenderedRain", "init_args": arguments}
    made = parser.instantiate(parser.parse_object({"tasks": [source]})).tasks[0]
    wanted = (
        [PRESETS[n] for n in rain] if isinstance(rain, list) else [PRESETS["thin"] if rain == "thin" else Rain(**rain)]
    )
    assert list(made.rains) == wanted and tuple(made.test_size) == (32, 40)


def test_folders_of_frames_become_tasks(tmp_path: Path) -> None:
    from PIL import Image

    for video in ("one", "two"):
        (tmp_path / video).mkdir()
        for i, frame in enumerate(Noise().read(0, 6)):
            Image.fromarray(frame.permute(1, 2, 0).numpy()).save(tmp_path / video / f"{i}.png")
    source = RenderedRain("a", "dense", train=["one"], test=["two[1:4]"], root=str(tmp_path), test_size=(32, 32))
    task = source.task(0)
    assert [len(v) for v in task.train] == [6] and [len(v) for v in task.test] == [3]
    assert torch.equal(task.test[0].read(0, 1)[1], Noise().read(1, 1)[..., 19:51, 29:61])
    assert clips(task.train)[0][0].shape == (5, 3, 48, 48)


def test_a_folder_of_photographs_is_split(tmp_path: Path) -> None:
    from PIL import Image

    for i, picture in enumerate(list(bundled_photographs().values())[:7]):
        pixels = (picture[:, :100, :100] * 255).to(torch.uint8).permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(tmp_path / f"p{i}.png")
    task = RenderedRain("a", "thin", photographs=str(tmp_path), test_size=(32, 32)).task(0)
    assert [v.name for v in task.test] == ["p0", "p6"] and [v.name for v in task.train] == [
        "p1",
        "p2",
        "p3",
        "p4",
        "p5",
    ]


@pytest.mark.skipif(not (CLEAN / "bikes.mp4").is_file(), reason="no shared data here")
def test_real_video() -> None:
    source = RenderedRain(
        "a", "wind", ["bikes.mp4[0:30]"], ["bmx_trees"], root=str(CLEAN), test_size=(96, 128), test_frames=3
    )
    task = source.task(0)
    data = clips(task.train, crop=64, samples=4)
    assert data[0][0].shape == (5, 3, 64, 64) and torch.equal(data[1][0], data[1][0])
    assert task.test[0].read(0, 3)[0].shape == (3, 3, 96, 128)
    assert hold_excerpt(source.train[0], turned=True) is task.train[0].footage


def test_every_rain_of_a_mixed_type_is_tested() -> None:
    def shown(rains: list[str | Rain], **kwargs: Any) -> list[Any]:
        task = RenderedRain("mixed", rains, photographs="bundled", test_frames=1, test_size=(16, 16), **kwargs).task(0)
        return [video.rains[video.seed % len(video.rains)] for video in task.test]

    wanted = [find_rain(name) for name in ("thin", "veil", "wind")]
    assert shown(["thin", "veil", "wind"], test_photographs=["china", "coffee", "rocket"]) == wanted
    assert shown(["thin", "veil", "wind"]) == wanted  # over two photographs
    assert shown(["thin", "dry", "veil"]) == wanted[:2]
    task = RenderedRain("mixed", ["thin", "veil", "wind"], photographs="bundled", test_frames=1).task(0)
    assert task.test[0].footage is task.test[2].footage and task.test[0].footage is not task.test[1].footage


def test_dry_clips_are_for_training_only() -> None:
    source = RenderedRain("mixed", ["dry", "thin"], photographs="bundled", test_frames=2, test_size=(64, 64))
    assert all(not torch.equal(*video.read(0, 1)) for video in source.task(0).test)
    alone = RenderedRain("dry", ["dry"], photographs="bundled", test_frames=2, test_size=(64, 64))
    assert all(torch.equal(*video.read(0, 1)) for video in alone.task(0).test)
