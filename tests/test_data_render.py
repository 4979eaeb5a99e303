"""`raincheck data render`: what it writes, that it is what it says, and that nothing can make it other bytes."""

import hashlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from program import PATIENCE, RAINCHECK, environment, finish, group_lives, importing, until
from raincheck.cli import main
from raincheck.data import handout
from raincheck.data import render as rendering
from raincheck.data.check import check_data
from raincheck.data.clips import Clip, fitted
from raincheck.data.rains import read_rains
from raincheck.data.render import render_set
from raincheck.data.request import Request
from raincheck.datasets.clips import TrainClips
from raincheck.datasets.renderedset import RenderedSet
from raincheck.errors import ConfigError, InputError
from raincheck.rain.drawing import DrawnField
from raincheck.rain.drawn import DRAWN, Drawn
from raincheck.rain.kinds import as_rain
from raincheck.rain.parameters import Rain
from raincheck.rain.presets import PRESETS
from raincheck.rain.render import cover, render
from raincheck.video.access.footage import open_footage
from tinyvideo import cut, noise, read_folder, smooth, write_folder, write_photographs, write_video
from tools import require_tool

TRAIN, TEST = "Dataset_Training_Rendered", "Dataset_Testing_Rendered"


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A video file, and two folders of frames, one of them further down."""
    monkeypatch.setattr(os, "fsync", lambda file: None)  # no power cut here, and a busy disk takes long
    folder = tmp_path / "clean"
    (folder / "deep").mkdir(parents=True)
    write_video(folder / "a.mp4", smooth(11, 48, 64), fps=50)
    write_folder(folder / "b b", noise(9, 40, 56, seed=1))
    write_folder(folder / "deep" / "ü", smooth(5, 48, 64))
    (folder / "notes.txt").write_text("no clip")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder but the lock."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_the_help_names_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["data", "render", "--help"])
    named = re.search(r"a preset \(([^)]*)\)", " ".join(capsys.readouterr().out.split()))
    assert named and set(named[1].split(", ")) == {*PRESETS, *DRAWN}


def render_here(clean: Path, out: Path, *rains: str, **settings: Any) -> dict[str, Any]:
    return render_set(Request([clean], read_rains(rains or ["heavy"]), **settings), out, jobs=1)


def share(path: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A 16-bit layer, `(h, w)` in [0, 1]."""
    return np.array(Image.open(path)).astype(np.float32) / np.float32(65535)


def test_the_layout_is_read_back(clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    code = main(["data", "render", str(clean), "--out", str(out), "--rain", "heavy", "--rain", "veil", "--jobs", "1"])
    assert code == 0 and f"6 rainy videos of 3 clean ones written to {out}" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir() if path.name != ".lock") == [
        *("Dataset_Testing_Rendered", "Dataset_Training_Rendered", "SHA256SUMS", "manifest.json", "request.json")
    ]
    names = {path.relative_to(out).as_posix() for path in out.glob("*/*")}
    assert names == {f"{TRAIN}/{clip}_{kind}" for clip in ("a", "b b") for kind in ("GT", "Rain_01", "Rain_02")} | {
        f"{TEST}/deep_ü_{kind}" for kind in ("GT", "Rain_01", "Rain_02")
    }
    assert np.array_equal(read_folder(out / TRAIN / "b b_GT"), read_folder(clean / "b b"))
    assert main(["data", "check", "--deep", str(out)]) == 0
    assert "without faults" in capsys.readouterr().out
    task = RenderedSet(str(out)).task(0)
    assert (len(task.train), len(task.test)) == (4, 2)
    rainy, gt, _ = TrainClips(task.train, window=5, crop=32, samples=4, seed=0, experience=0)[1]
    assert rainy.shape == (5, 3, 32, 32) and gt.shape == (3, 32, 32) and not torch.equal(rainy[2], gt)


def test_the_manifest_says_what_is_there(clean: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    manifest = render_here(clean, out, "veil", variants=2, seed=7)
    assert manifest == json.loads((out / "manifest.json").read_text())
    lines = [line.split("  ", 1) for line in (out / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == {name for name in files(out) if "/" in name}
    assert all(hashlib.sha256((out / name).read_bytes()).hexdigest() == digest for digest, name in lines)
    for video in manifest["videos"]:
        own = [f"{digest}  {name}\n" for digest, name in lines if name.startswith(video["folder"] + "/")]
        assert video["sha256"] == hashlib.sha256("".join(own).encode()).hexdigest() and video["frames"] == len(own)
    # What the manifest says is enough to render the video again, up to the rounding of shares to 16 bits.
    rainy = [video for video in manifest["videos"] if "rain" in video]
    assert len(rainy) == 6 and len({str(video["rain"]) for video in rainy}) == 6
    for video in rainy:
        gt = torch.from_numpy(read_folder(out / video["clean"])).movedim(-1, 1)
        again = render(gt, Rain(**video["rain"]), tuple(video["seed"])).rainy.movedim(1, -1).numpy()
        assert np.abs(again.astype(int) - read_folder(out / video["folder"])).max() <= 1
        assert video["transmission"] == Rain(**video["rain"]).transmission


def test_rainy_follows_exactly_from_clean_and_layers(clean: Path, tmp_path: Path) -> None:
    out, maps = tmp_path / "set", tmp_path / "maps"
    maps.mkdir()
    near = np.full((11, 48, 64), 60.0)
    near[:, :, :20] = 1.0
    np.save(maps / "a.npy", near)
    manifest = render_here(clean, out, "veil", depth=maps, layers=True)
    for video in (video for video in manifest["videos"] if "rain" in video):
        name, rain = Path(video["folder"]).name, Rain(**video["rain"])
        assert ("depth" in video) == (name == "a_Rain_01") == ("transmission" not in video)
        for i, frame in enumerate(read_folder(out / video["folder"]), start=1):
            gt = torch.from_numpy(np.array(Image.open(out / video["clean"] / f"{i:05d}.png"))).movedim(-1, 0)[None]
            veil: Any = video.get("transmission")
            if veil is None:
                veil = torch.from_numpy(share(out / "Veil" / name / f"{i:05d}.png"))
                assert veil[:, :20].min() > 0.95 > 0.9 > veil[:, 20:].max()
            made = cover(gt, rain, share(out / "Streaks" / name / f"{i:05d}.png")[None], veil)
            assert np.array_equal(made.rainy[0].movedim(0, -1).numpy(), frame)


@pytest.mark.slow
def test_drawn_rain_follows_exactly_too_with_any_number_of_processes(clean: Path, tmp_path: Path) -> None:
    out, own = tmp_path / "set", tmp_path / "own.yaml"
    own.write_text("length: [4, 9]\nslant: 3\nblends: [screen, add]\n")
    rains = [*DRAWN, str(own), "wind"]
    manifest = render_here(clean, out, *rains, layers=True)
    drawn = [video for video in manifest["videos"] if video.get("type") in {*DRAWN, "own"}]
    assert len(drawn) == 18 and as_rain(drawn[5]["rain"]) == Drawn(length=(4, 9), slant=3, blends=("screen", "add"))
    for video in drawn:
        gt = torch.from_numpy(read_folder(out / video["clean"])).movedim(-1, 1)
        field = DrawnField(as_rain(video["rain"]), (video["height"], video["width"]), tuple(video["seed"]))  # type: ignore[arg-type]
        layers = sorted((out / "Streaks" / Path(video["folder"]).name).iterdir())
        made = field.over(gt, np.stack([share(path) for path in layers])).movedim(1, -1)
        assert np.array_equal(made.numpy(), read_folder(out / video["folder"]))
        assert np.abs(field.lay(gt).movedim(1, -1).numpy().astype(int) - made.numpy()).max() <= 1
    assert len({video["sha256"] for video in drawn}) == 18 and not any("transmission" in video for video in drawn)
    again = tmp_path / "again"
    assert render_set(Request([clean], read_rains(rains), layers=True), again, jobs=2) == manifest
    assert files(again) == files(out) and render_here(clean, out, *rains, layers=True) == manifest
    assert {report.verdict for report in check_data(out)} == {
        "without faults; how many videos were published is not known here"
    }


def test_drawn_rain_takes_no_depth_and_no_pictures_of_streaks(tmp_path: Path) -> None:
    for given in ({"depth": tmp_path}, {"streaks": tmp_path}):
        with pytest.raises(ConfigError) as error:
            Request([], read_rains(["heavy", "lines"]), **given)  # type: ignore[arg-type]
        assert str(error.value) == (
            "drawn rain such as lines has streaks of its own and knows no distances; leave out streaks and depth, or "
            "render it as a set of its own"
        )


def test_a_video_is_a_function_of_its_own_name(clean: Path, tmp_path: Path) -> None:
    """Other clips beside it, in another order, change nothing; another seed or variant does."""
    render_here(clean, tmp_path / "all", variants=2)
    render_here(clean / "b b", tmp_path / "one", variants=1)
    one, whole = files(tmp_path / "one"), files(tmp_path / "all")
    frames = [name for name in one if "/" in name]
    assert len(frames) == 18 and all(one[name] == whole[name] for name in frames)
    render_here(clean / "b b", tmp_path / "other", seed=1)
    other = files(tmp_path / "other")
    assert all((other[name] == one[name]) == ("_GT/" in name) for name in frames)
    assert whole[f"{TRAIN}/b b_Rain_01/00001.png"] != whole[f"{TRAIN}/b b_Rain_02/00001.png"]


def test_the_camera_is_the_clips(clean: Path, tmp_path: Path) -> None:
    """Its frame rate, which bounds the exposure; folders of frames have that of --fps, or of the rain."""
    videos = render_here(clean, tmp_path / "set", "sparse", fps=Fraction(12), spread=0.0)["videos"]
    rains = {video["source"]: Rain(**video["rain"]) for video in videos if "rain" in video}
    assert (rains["a.mp4"].frame_rate, rains["a.mp4"].exposure) == (50, 1 / 50)
    assert (rains["b b"].frame_rate, rains["b b"].exposure) == (12, PRESETS["sparse"].exposure)


def test_streak_pictures_fall_over_clips(clean: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "streaks"
    grey = np.zeros((1, 60, 80, 3), np.uint8)
    grey[:, 10:30, ::8] = 200
    write_folder(pictures, grey)
    render_here(clean / "b b", tmp_path / "set", "veil", streaks=pictures)
    rainy, gt = (read_folder(tmp_path / "set" / TRAIN / f"b b_{kind}").astype(int) for kind in ("Rain_01", "GT"))
    assert (rainy - gt).max() > 100 and not np.array_equal(rainy[0] - gt[0], rainy[1] - gt[1])


def test_depth_maps_are_scaled_as_their_frames(tmp_path: Path) -> None:
    """Columns of distances 1, 2, 3, 4 m in 120x80: of half the size, the middle."""
    depth = np.repeat(np.arange(1.0, 5.0), 30)[None].repeat(80, 0)
    np.save(tmp_path / "a.npy", depth)
    np.save(tmp_path / "b.npy", np.stack([depth, 2 * depth]))
    still, moving = (Clip("x", tmp_path, within=(40, 50), depth=tmp_path / name) for name in ("a.npy", "b.npy"))
    scaled = still.distances(0, 2, (40, 50))
    assert scaled is not None and scaled.shape == (40, 50) and scaled.dtype == torch.float32
    assert scaled[0].tolist() == [1.0] * 10 + [2.0] * 15 + [3.0] * 15 + [4.0] * 10
    assert torch.equal(moving.distances(1, 1, (40, 50)), 2 * scaled[None])  # type: ignore[arg-type]
    assert Clip("x", tmp_path).distances(0, 2, (40, 50)) is None


@pytest.mark.parametrize(
    ("size", "within", "scaled", "left"),
    [
        ((480, 640), (240, 320), (240, 320), (240, 320)),
        ((1080, 1920), (480, 640), (480, 853), (480, 640)),
        ((240, 320), (480, 640), (240, 320), (240, 320)),
        ((480, 300), (240, 320), (480, 300), (240, 300)),
    ],
)
def test_frames_are_scaled_down_and_cut(
    size: tuple[int, int], within: tuple[int, int], scaled: tuple[int, int], left: tuple[int, int]
) -> None:
    assert fitted(size, within) == (scaled, left)


def test_size_and_frames_are_limits(clean: Path, tmp_path: Path) -> None:
    videos = render_here(clean, tmp_path / "set", size=(24, 40), frames=7, suffix=".jpg")["videos"]
    assert {(video["height"], video["width"]) for video in videos} == {(24, 40)}
    assert {video["source"]: video["frames"] for video in videos} == {"a.mp4": 7, "b b": 7, "ü": 5}
    assert sorted(path.name for path in (tmp_path / "set" / TRAIN / "a_GT").iterdir())[-1] == "00007.jpg"
    assert len(open_footage(tmp_path / "set" / TRAIN / "a_Rain_01")) == 7


@pytest.mark.slow
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, -90, 180])
def test_clips_stand_upright_as_ffmpeg_turns_them(tmp_path: Path, rotation: int, mirrored: bool) -> None:
    path = write_video(tmp_path / "a.mp4", smooth(9, 48, 64), rotation=rotation, mirrored=mirrored, crf="1")
    (video, rainy) = render_here(path, tmp_path / "set")["videos"]
    raw = ["-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    shown = subprocess.run([require_tool("ffmpeg"), "-v", "error", *raw], capture_output=True, check=True)
    size = (64, 48) if abs(rotation) == 90 else (48, 64)
    assert (video["height"], video["width"]) == (rainy["height"], rainy["width"]) == size
    expected = np.frombuffer(shown.stdout, np.uint8).reshape(9, *size, 3)
    assert np.abs(expected - read_folder(tmp_path / "set" / video["folder"]).astype(int)).mean() < 2


def test_photographs_stand_upright(tmp_path: Path) -> None:
    frames = noise(3, 48, 64)
    write_photographs(tmp_path / "clean" / "a", frames, orientation=6)
    write_photographs(tmp_path / "clean" / "b", frames, orientation=1)
    videos = render_here(tmp_path / "clean", tmp_path / "set")["videos"]
    assert {(video["height"], video["width"]) for video in videos} == {(48, 64)}
    for split, name in ((TRAIN, "a_GT"), (TEST, "b_GT")):
        np.testing.assert_array_equal(read_folder(tmp_path / "set" / split / name), frames)
    write_photographs(tmp_path / "tall", frames.swapaxes(1, 2), orientation=6)
    mixed = (tmp_path / "tall" / "00003.png").rename(tmp_path / "clean" / "b" / "00003.png")
    with pytest.raises(InputError, match=f"^{mixed} is 48x64 but 00001.png is 64x48; give frames of one size$"):
        render_here(tmp_path / "clean" / "b", tmp_path / "no set")


@pytest.mark.parametrize("after", [1, 4, 7])
def test_an_interrupted_set_goes_on(after: int, clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render_here(clean, tmp_path / "whole", layers=True)
    paint, calls = handout.paint, []

    def interrupted(*arguments: Any) -> int:
        calls.append(arguments)
        if len(calls) > after:
            raise KeyboardInterrupt
        return paint(*arguments)

    monkeypatch.setattr(handout, "LONGEST", 4)
    monkeypatch.setattr(handout, "paint", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render_here(clean, tmp_path / "set", layers=True)
    assert not (tmp_path / "set" / "manifest.json").exists()
    for partial in (tmp_path / "set").glob("*/.*"):
        (partial / ".00001.png.77.partial").write_bytes(b"torn")
    monkeypatch.setattr(handout, "paint", paint)
    told: list[int] = []
    request = Request([clean], read_rains(["heavy"]), layers=True)
    render_set(request, tmp_path / "set", jobs=1, progress=lambda done, total: told.append(done))
    assert files(tmp_path / "set") == files(tmp_path / "whole")
    assert told[-1] == 50
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "set").rglob("*")}
    render_set(request, tmp_path / "set", jobs=1)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "set").rglob("*")} == before


def test_an_interrupted_set_is_not_taken_for_a_whole_one(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_manifest, out = rendering.write_manifest, tmp_path / "set"

    def interrupted(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(rendering, "write_manifest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render_here(clean, out)
    advice = "the set is not finished; go on with the same raincheck data render command"
    with pytest.raises(InputError, match=f"^{out} cannot be read as Rendered set: {advice}$"):
        RenderedSet(str(out)).task(0)
    assert main(["data", "check", str(out)]) == 1
    [report] = check_data(out)
    assert report.faulty and report.verdict == "1 fault"
    hidden = tmp_path / "begun"  # where no video was whole
    (hidden / TRAIN / ".a_GT.partial").mkdir(parents=True)
    (hidden / "request.json").touch()
    for read in (lambda: RenderedSet(str(hidden)).task(0), lambda: check_data(hidden)):
        with pytest.raises(InputError, match=f"^{hidden} cannot be read as Rendered set: {advice}$"):
            read()
    monkeypatch.setattr(rendering, "write_manifest", write_manifest)
    render_here(clean, out)
    assert len(RenderedSet(str(out)).task(0).train) == 2 and main(["data", "check", str(out)]) == 0


def use_a_full_folder(clean: Path, out: Path) -> str:
    out.mkdir()
    (out / "holiday.jpg").touch()
    return f"{out} is not empty and holds no rendered set; choose another --out"


def ask_for_another_seed(clean: Path, out: Path) -> str:
    render_here(clean, out, seed=3)
    return f"{out} holds a set rendered with other seed; choose another --out"


def change_a_clip(clean: Path, out: Path) -> str:
    render_here(clean, out)
    write_video(clean / "a.mp4", noise(4), fps=50)
    return f"{out} holds a set rendered with other clips; choose another --out"


def two_clips_of_a_name(clean: Path, out: Path) -> str:
    write_video(clean / "b b.mp4", noise(4))
    return f"two clips are called b b: {clean}/b b and {clean}/b b.mp4; rename one"


def no_video(clean: Path, out: Path) -> str:
    (clean / "c.mp4").write_text("no video")
    return f"{clean}/c.mp4 is not a video that FFmpeg can read (Invalid data found when processing input); give a video"


def damage_the_manifest(clean: Path, out: Path) -> str:
    render_here(clean, out)
    (out / "manifest.json").write_text("{")
    return f"{out}/manifest.json cannot be read or is damaged; delete it, and the same command writes it again"


def damage_the_request(clean: Path, out: Path) -> str:
    render_here(clean, out)
    (out / "request.json").write_text("[]")
    return f"{out}/request.json cannot be read or is damaged; choose another --out"


@pytest.mark.parametrize(
    "spoil",
    [
        use_a_full_folder,
        ask_for_another_seed,
        change_a_clip,
        two_clips_of_a_name,
        no_video,
        damage_the_manifest,
        damage_the_request,
    ],
)
def test_mistakes_are_one_sentence_and_change_nothing(
    spoil: Callable[[Path, Path], str], clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    sentence, before = spoil(clean, out), files(tmp_path)
    assert main(["data", "render", str(clean), "--out", str(out), "--jobs", "1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"raincheck: error: {sentence}") and error.count("\n") == 1
    assert files(tmp_path) == before and out.exists() == any(name.startswith("set/") for name in before)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rain", "hail"], "no rain is called 'hail'; give one of thin, dense"),
        (["--test", "z"], "no clip is called 'z'; choose test clips among a, b b, deep_ü"),
        (["--variants", "0"], "variants is 0; it must be 1 or more"),
        (["--seed", "-1"], "seed is -1; it must be 0 or more"),
        (["--spread", "1e9"], "spread is 1e+09; it must be between 0 and 5"),
        (["--spread", "nan"], "spread is nan; it must be between 0 and 5"),
        (["--rain", "heavy", "--rain", "heavy"], "two rains are called heavy; rename one"),
        (["--rain", "none.yaml"], "cannot read the rain none.yaml: No such file or directory; give a preset or"),
        (["--jobs", "0"], "argument --jobs: '0' is not a number of processes; give 1 or more"),
        (["--streaks", "none"], "none cannot be read (No such file or directory)"),
        (["--depth", "none"], "there are no depth maps in none; save them there as <clip>.npy"),
    ],
)
def test_wrong_options_are_one_sentence_and_leave_nothing(
    arguments: list[str], sentence: str, clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "render", str(clean), "--out", str(tmp_path / "set"), "--jobs", "1", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"raincheck: error: {sentence}") and error.count("\n") == 1
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("fps", ["1e-400", "1e400", "0", "-1", "1e9"])
def test_rates_that_no_camera_has_are_refused(fps: str) -> None:
    with pytest.raises(ConfigError, match=r"^fps must be between 1/1000000 and 1000000; correct it$"):
        Request([], {}, fps=Fraction(fps))


def test_a_rain_may_be_a_file_of_parameters(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("rate: 12\nwind: -3\n")
    assert read_rains([str(path), "snow"]) == {"mine": Rain(rate=12, wind=-3), "snow": PRESETS["snow"]}
    for content, sentence in (
        ("- rate", f"{path} does not describe a rain; write parameters such as `rate: 20`, one a line"),
        ("rate: [", f"cannot read the rain {path}: it is no YAML; give a preset or a file of parameters"),
        ("rate: 2026-13-45", f"cannot read the rain {path}: it is no YAML; "),
        ("[" * 2000, f"cannot read the rain {path}: it is no YAML; "),
        ("rate: 1\nwind: 2\nrate: 3", f"{path}: the key rate is there twice, in lines 1 and 3; leave one out"),
        ("kind: {a: rain}", "the rain's kind is {'a': 'rain'}; it must be one of rain, snow"),
        ("length: 3", "drawn rain's length is 3; give two numbers above 0, the lower one first"),
        (f"rate: {'9' * 400}", "rain parameters must be finite numbers; change Rain(rate=999"),
        ("speed: 3", "rain has no parameter 'speed'; it has rate, "),
    ):
        path.write_text(content)
        with pytest.raises(ConfigError) as error:
            read_rains([str(path)])
        assert str(error.value).startswith(sentence)


def test_a_rain_of_too_many_drops_is_refused_before_any_clip(
    clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "flood.yaml").write_text("rate: 50\nfar: 500\n")
    out = tmp_path / "set"
    assert main(["data", "render", str(clean), "--out", str(out), "--rain", str(tmp_path / "flood.yaml")]) == 2
    error = capsys.readouterr().err
    assert re.search(r"has \S+ drops before a camera of .*; lower rate, far or spread, or raise focal_length\n$", error)
    assert error.count("\n") == 1 and not out.exists()


def test_the_output_and_the_clips_are_apart(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for out in (clean, clean / "b b", clean / "b b" / "set", clean / "set", clean.parent):
        assert main(["data", "render", str(clean), "--out", str(out)]) == 2
        assert "are inside one another; choose another --out" in capsys.readouterr().err
    assert not list(clean.rglob("set"))


@pytest.mark.parametrize(
    ("depth", "sentence"),
    [
        ({"z": np.ones((48, 64))}, "the depth map {maps}/z.npy has no clip called z; rename it or take it out"),
        ({"a": np.ones((3, 48, 64))}, r"{maps}/a.npy is \(3, 48, 64\); a depth map is \(h, w\), or \(t, h, w\) with"),
        ({"a": np.ones((4, 6))}, "a depth map is \\(4, 6\\); frames"),
        ({"a": np.zeros((48, 64))}, "a depth map has values that are not above 0"),
    ],
)
def test_what_is_no_depth_map_is_one_sentence(
    depth: dict[str, Any], sentence: str, clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for name, array in depth.items():
        np.save(maps / f"{name}.npy", array)
    command = ["data", "render", str(clean), "--out", str(tmp_path / "set"), "--depth", str(maps), "--jobs", "1"]
    assert main(command) == 2
    assert re.search(sentence.format(maps=re.escape(str(maps))), capsys.readouterr().err)
    assert not (tmp_path / "set").exists()


def test_a_clip_that_breaks_off_leaves_what_is_whole(
    clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut(write_video(clean / "z.mkv", noise(40), fps=25), 0.6)
    command = ["data", "render", str(clean), "--out", str(tmp_path / "set"), "--jobs", "1", "--test", "z"]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"raincheck: error: {clean}/z.mkv") and error.count("\n") == 1
    assert not list((tmp_path / "set").glob("*/.*")) if (tmp_path / "set").exists() else True
    assert not (tmp_path / "set" / "manifest.json").exists()


@pytest.mark.slow
def test_ctrl_c_while_processes_start_is_one_line(clean: Path, tmp_path: Path) -> None:
    command = [*RAINCHECK, "data", "render", str(clean), "--jobs", "2", "--out", str(tmp_path / "set")]
    running = subprocess.Popen(
        command, env=environment(), start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until(lambda: running.poll() is not None or importing(running.pid), "a worker that imports")
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130 and "Traceback" not in said and said.endswith("raincheck: interrupted\n")


@pytest.mark.slow
def test_killed_with_any_number_of_processes_it_ends_with_the_same_bytes(clean: Path, tmp_path: Path) -> None:
    write_video(clean / "long.mp4", noise(64, 96, 128))
    render_here(clean, tmp_path / "whole", layers=True)
    command = [*RAINCHECK, "data", "render", str(clean), "--layers", "--jobs", "2", "--out", str(tmp_path / "set")]
    killed = subprocess.Popen(command, env=environment(), start_new_session=True)
    frames = (tmp_path / "set").glob
    until(lambda: len(list(frames("*/.long*/*.png"))) >= 10 or killed.poll() is not None, "ten frames")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    until(lambda: not group_lives(killed.pid), "the end of its workers, by themselves")
    assert not (tmp_path / "set" / "manifest.json").exists() and list((tmp_path / "set").glob("*/.long*/*.png"))
    assert finish(command).returncode == 0
    assert files(tmp_path / "set") == files(tmp_path / "whole")
