"""`raincheck data check`: what it recognises, what it finds, and its exit codes."""

import re
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from fakedata import WRITE
from fakeframes import write_clip, write_form_a, write_frames
from raincheck.cli import main
from raincheck.data import looking
from raincheck.data.check import SetReport, check_data, print_check
from raincheck.data.findings import Kind
from raincheck.datasets.published import catalogue
from raincheck.datasets.rainsynlight25 import RainSynLight25
from raincheck.errors import InputError
from tinyvideo import cut, noise, write_video

TEST = "Dataset_Testing_Synthetic"


def printed(reports: list[SetReport]) -> str:
    """What a user with a very wide terminal sees."""
    text = StringIO()
    print_check(reports, Console(file=text, width=400))
    return text.getvalue()


def found(reports: list[SetReport], faults: bool = False) -> set[tuple[str, str, str]]:
    """Part, kind and place of every finding but system files, or of faults only."""
    return {
        (split.split.name, finding.kind.name, finding.where)
        for report in reports
        for split in report.splits
        for finding in split.findings
        if finding.kind is not Kind.OTHER and (finding.kind.fault or not faults)
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of NTURain, by the published names and lengths."""
    root = tmp_path_factory.mktemp("whole") / "NTURain"
    WRITE["nturain"](root, frames=None)
    return root


@pytest.fixture
def nturain(tmp_path: Path) -> Path:
    """One test video of NTURain in its published length, to be spoilt."""
    for kind in ("Rain", "GT"):
        write_frames(tmp_path / "NTURain" / TEST / f"b2_{kind}", [f"{i:05d}.jpg" for i in range(1, 251)])
    return tmp_path / "NTURain"


def test_nturain_as_published(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(whole.parent)]) == 0
    text = capsys.readouterr().out
    assert "25 of 25" in text and "3123 of 3123" in text and "1682 of 1682" in text and "658 of 658" in text
    assert f"NTURain in {whole}: as published" in text.replace("\n", "")
    reports = check_data(whole)
    assert found(reports) == set()
    assert re.search(r"other files among the frames\s*│ 16 x Thumbs.db\s*│ none: they are ignored", printed(reports))


def test_a_part_is_no_fault(nturain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(nturain)]) == 0
    text = capsys.readouterr().out.replace("\n", "")
    assert "a part of what was published (not all of train, test, real), without faults" in text
    assert ("test", "ABSENT", "a1_Rain") in found(check_data(nturain))


def lose_frames(clip: Path) -> set[tuple[str, str, str]]:
    for number in (7, 9):
        (clip / f"{number:05d}.jpg").unlink()
    where = f"{clip.name} (frame 7, 9)"
    return {("test", "SHORT", where), ("test", "UNMATCHED", f"{clip.name} (rainy lacks frame 7, 9)")}


def lose_the_end(clip: Path) -> set[tuple[str, str, str]]:
    for folder in (clip, clip.with_name("b2_GT")):
        (folder / "00250.jpg").unlink()
    return {("test", "SHORT", "b2_Rain (frame 250)")}


def repeat_a_frame(clip: Path) -> set[tuple[str, str, str]]:
    for folder in (clip, clip.with_name("b2_GT")):
        shutil.copy(folder / "00003.jpg", folder / "copy_00003.jpg")
    return {("test", "LONG", "b2_Rain (frame 3)")}


def lose_the_twin(clip: Path) -> set[tuple[str, str, str]]:
    shutil.rmtree(clip.with_name("b2_GT"))
    return {("test", "ALONE", f"b2_Rain (nothing is at {TEST}/b2_GT)")}


def copy_a_clean_frame(clip: Path) -> set[tuple[str, str, str]]:
    twin = clip.with_name("b2_GT")
    shutil.copy(twin / "00003.jpg", twin / "00003.png")
    (twin / "00005.jpg").unlink()
    return {("test", "UNMATCHED", "b2_Rain (clean lacks frame 5; clean repeats frame 3)")}


def empty_the_video(clip: Path) -> set[tuple[str, str, str]]:
    shutil.rmtree(clip)
    clip.mkdir()
    return {("test", "HOLLOW", "b2_Rain")}


def add_a_video(clip: Path) -> set[tuple[str, str, str]]:
    for kind in ("Rain", "GT"):
        shutil.copytree(clip.with_name("b2_GT"), clip.with_name(f"b5_{kind}"))
    return {("test", "SURPLUS", "b5_Rain")}


def resize_the_twin(clip: Path) -> set[tuple[str, str, str]]:
    for path in clip.with_name("b2_GT").glob("*.jpg"):
        Image.new("RGB", (25, 16)).save(path)
    return {("test", "UNEQUAL", "b2_Rain (rainy 24x16, clean 25x16)")}


def resize_a_frame(clip: Path) -> set[tuple[str, str, str]]:
    Image.new("RGB", (25, 16)).save(clip / "00005.jpg")
    return {("test", "VARYING", "b2_Rain (rainy 25x16, 24x16, clean 24x16)")}


def spoil_a_header(clip: Path) -> set[tuple[str, str, str]]:
    path = clip / "00005.jpg"
    path.write_bytes(b"")
    return {("test", "BROKEN", f"{TEST}/b2_Rain/00005.jpg is not an image")}


@pytest.mark.parametrize(
    "spoil",
    [
        *(lose_frames, lose_the_end, repeat_a_frame, copy_a_clean_frame, lose_the_twin, empty_the_video),
        *(add_a_video, resize_the_twin, resize_a_frame, spoil_a_header),
    ],
)
def test_a_fault_is_found_and_means_something(
    spoil: Callable[[Path], set[tuple[str, str, str]]], nturain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = spoil(nturain / TEST / "b2_Rain")
    reports = check_data(nturain)
    assert found(reports, faults=True) == expected
    text = printed(reports)
    for _, kind, _ in expected:
        assert Kind[kind].fault and Kind[kind].what in text and Kind[kind].meaning in text
    assert f"NTURain in {nturain}: {len(expected)} fault" in text
    assert main(["data", "check", str(nturain)]) == 1
    assert capsys.readouterr().err.count("raincheck: error") == 0


@pytest.mark.parametrize("share", [10**9, pytest.param(100, marks=pytest.mark.slow)], ids=["here", "other processes"])
def test_a_torn_image_needs_a_deep_look(nturain: Path, share: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "SHARE", share)
    monkeypatch.setattr(looking, "cores", lambda: 2)
    path = nturain / TEST / "b2_GT" / "00010.jpg"
    path.write_bytes(path.read_bytes()[:-60])
    assert found(check_data(nturain), faults=True) == set()
    (fault,) = found(check_data(nturain, deep=True), faults=True)
    assert fault[:2] == ("test", "BROKEN") and fault[2].startswith(f"{TEST}/b2_GT/00010.jpg is a broken image (")


def test_form_b_as_published_has_an_empty_folder(tmp_path: Path) -> None:
    WRITE["rainsynlight25"](tmp_path, most=None, frames=None, form="B")
    reports = check_data(tmp_path)
    text = printed(reports)
    assert "RainSynLight25, form B" in text and "190 of 190" in text and "27 of 27" in text and "243 of 243" in text
    assert ("test", "EMPTY", "28") in found(reports) and text.rstrip().endswith("as published")
    assert "published numbers for forms A and B differ by several dB" in text
    (tmp_path / "video_rain_light/test/input/29").mkdir()
    assert ("test", "HOLLOW", "29") in found(check_data(tmp_path))


def test_a_video_that_was_emptied_is_not_the_one_that_was_published_empty(tmp_path: Path) -> None:
    WRITE["rainsynlight25"](tmp_path, most=3, form="B")
    emptied = tmp_path / "video_rain_light/test/input/2"
    shutil.rmtree(emptied)
    emptied.mkdir()
    assert {("test", "HOLLOW", "2"), ("test", "EMPTY", "28")} <= found(check_data(tmp_path))
    with pytest.raises(InputError, match=re.escape(f"{emptied} holds no frames")):
        RainSynLight25(str(tmp_path)).task(0)


def test_form_a_has_clean_frames_a_column_wider(tmp_path: Path) -> None:
    write_form_a(tmp_path, "heavy", "test", 25, 31)
    reports = check_data(tmp_path)
    assert ("test", "SLACK", "1 (rainy 24x16, clean 25x16)") in found(reports)
    text = printed(reports)
    assert "25 of 25" in text and "775 of 775" in text and "0 of 190" in text
    assert "form A in " + str(tmp_path) + ": a part of what was published (not all of train), without" in text
    (tmp_path / "frames_heavy_test_JPEG/2/rfc-31.jpg").unlink()
    assert ("test", "SHORT", "2 (30 frames, published 31)") in found(check_data(tmp_path))


def test_resized_copies_are_told_from_published_ones(tmp_path: Path) -> None:
    WRITE["vrds"](tmp_path, most=1)
    assert not check_data(tmp_path)[0].faulty
    for path in (tmp_path / "test").rglob("*.png"):
        Image.new("RGB", (640, 360)).save(path)
    assert ("test", "RESIZED", "000 (640x360, published 1280x720)") in found(check_data(tmp_path))


def test_clean_videos_without_a_rainy_one_are_named(tmp_path: Path) -> None:
    WRITE["rainvidss"](tmp_path)
    assert not found(check_data(tmp_path))
    shutil.rmtree(tmp_path / "val/rainy/video_01")
    (tmp_path / "val/gt/.hidden").mkdir()
    assert found(check_data(tmp_path)) == {("test", "DRY", "video_01")}


def test_clean_videos_of_another_part_are_not_alone(tmp_path: Path) -> None:
    WRITE["lwdds"](tmp_path, most=7, form="flat")
    assert not any(kind == "DRY" for _, kind, _ in found(check_data(tmp_path)))


def test_video_files(tmp_path: Path) -> None:
    WRITE["lwdds"](tmp_path, most=None, form="syn")
    reports = check_data(tmp_path)
    assert found(reports) == set() and printed(reports).rstrip().endswith("as published")
    assert [(split.clips, split.frames) for split in reports[0].splits] == [(45, 270), (6, 36)]
    write_clip(tmp_path / "test/syn/clean_vid/0046.mp4", 5)
    cut(write_video(tmp_path / "test/syn/rainy_vid/0047.mp4", noise(30)), 0.5)
    kinds = {(kind, where.partition(" is truncated")[0]) for _, kind, where in found(check_data(tmp_path, deep=True))}
    assert ("UNMATCHED", "0046 (6 rainy, 5 clean)") in kinds
    assert ("BROKEN", "test/syn/rainy_vid/0047.mp4") in kinds
    assert not any(kind == "UNMATCHED" and where.startswith("0047") for kind, where in kinds)


def test_a_link_to_nothing_is_a_broken_video_or_no_twin(tmp_path: Path) -> None:
    WRITE["lwdds"](tmp_path, most=None, form="syn")
    for video in ("rainy_vid/0046.mp4", "clean_vid/0047.mp4"):
        (tmp_path / "test/syn" / video).unlink()
        (tmp_path / "test/syn" / video).symlink_to("nowhere.mp4")
    assert found(check_data(tmp_path), faults=True) == {
        ("test", "BROKEN", "test/syn/rainy_vid/0046.mp4 cannot be read (No such file or directory)"),
        ("test", "ALONE", "0047 (nothing is at test/syn/clean_vid/0047.mp4)"),
    }


def test_a_video_file_that_states_no_length_is_counted(tmp_path: Path) -> None:
    for kind in ("rainy", "clean"):
        (tmp_path / f"{kind}_vid").mkdir()
        write_video(tmp_path / f"{kind}_vid/1.mkv", noise(12), container={"live": "1"})
    (report,) = check_data(tmp_path)
    assert not report.faulty and report.splits[1].frames == 12


def test_several_data_sets_at_once_are_told_apart(tmp_path: Path) -> None:
    for name, write in WRITE.items():
        write(tmp_path / name, most=2)
    names = [(report.name, report.place.name) for report in check_data(tmp_path)]
    known = [
        ("LWDDS, form split", "lwdds"),
        ("NTURain", "nturain"),
        ("RainSynAll100, form Rain", "rainsynall100"),
        ("RainSynAll100, form Rain_Haze", "rainsynall100"),
        ("RainSynComplex25, form A", "rainsyncomplex25"),
        ("RainSynLight25, form A", "rainsynlight25"),
        ("RainVID&SS", "rainvidss"),
        ("Rendered set", "renderedset"),
        ("VRDS", "vrds"),
    ]
    assert [name for name in names if name in known] == known
    assert {place for _, place in names} == set(WRITE)


def test_names_are_no_markup(tmp_path: Path) -> None:
    WRITE["rainvidss"](tmp_path / "[red]x", most=1)
    for kind in ("rainy", "gt"):
        folder = tmp_path / "[red]x" / "val" / kind
        (folder / "video_00").rename(folder / "[bold]0")
    (tmp_path / "[red]x/val/gt/[bold]0/00002.jpg").unlink()
    text = printed(check_data(tmp_path))
    assert "[bold]0 (clean lacks frame 2)" in text and "[red]x: 1 fault" in text


def test_what_is_no_data_set_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError) as error:
        check_data(tmp_path / "none")
    assert str(error.value) == f"there is no folder {tmp_path}/none to check; give the one that holds data sets"
    (tmp_path / "holiday").mkdir()
    assert main(["data", "check", str(tmp_path)]) == 2
    titles = [reader.title for reader in catalogue()]
    assert titles == sorted(titles) and {"LWDDS", "NTURain", "Rendered set", "VRDS"} < set(titles)
    assert capsys.readouterr().err == (
        f"raincheck: error: {tmp_path} is laid out like none of {', '.join(titles)}; give the folder that holds one, "
        "or read other pairs with raincheck.datasets.folder.PairedFolders\n"
    )


def test_the_group_has_help_and_refuses_unknown_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data"]) == 0 and "usage: raincheck data COMMAND" in capsys.readouterr().out
    assert main(["data", "chekc"]) == 2
    assert "there is no command 'chekc'; choose one of check, render" in capsys.readouterr().err


def test_faults_of_videos_of_one_name_in_two_parts_are_two(tmp_path: Path) -> None:
    WRITE["rainsyncomplex25"](tmp_path, form="B", frames=9)
    for split in ("train", "test"):
        (tmp_path / "video_rain_heavy" / split / "processed/1/9.png").unlink()
    (report,) = check_data(tmp_path)
    assert report.verdict == "2 faults"
