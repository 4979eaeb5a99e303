"""Readers of published data sets, over fakes with the real names: a new reader is tested by existing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from einops import rearrange
from PIL import Image

from fakedata import WRITE
from raincheck.data.check import check_data
from raincheck.datasets.clips import TestClips
from raincheck.datasets.lwdds import LWDDS
from raincheck.datasets.nturain import NTURain
from raincheck.datasets.published import PublishedPairs, catalogue
from raincheck.datasets.rainsynall100 import RainSynAll100
from raincheck.datasets.rainsyncomplex25 import RainSynComplex25
from raincheck.datasets.rainsynlight25 import RainSynLight25
from raincheck.datasets.rainvidss import RainVIDSS
from raincheck.datasets.vrds import VRDS
from raincheck.errors import ConfigError, InputError
from raincheck.video.images.listing import numbers

READERS = {reader.__module__.rpartition(".")[2]: reader for reader in catalogue()}


def pixels(path: Path) -> torch.Tensor:
    """An image `(c, h, w)` as Pillow decodes it."""
    return rearrange(torch.from_numpy(np.array(Image.open(path).convert("RGB"))), "h w c -> c h w")


def test_every_reader_has_a_fake_and_every_fake_a_reader() -> None:
    assert READERS.keys() == WRITE.keys()
    assert {NTURain, RainSynLight25, RainSynComplex25, RainSynAll100, RainVIDSS, VRDS, LWDDS} <= set(READERS.values())


@pytest.mark.parametrize("name", READERS)
def test_a_reader_needs_only_a_root(name: str, tmp_path: Path) -> None:
    WRITE[name](tmp_path / "some" / "where", most=2)
    task = READERS[name](str(tmp_path), test_frames=2, test_size=(8, 10)).task(0)
    assert task.name.startswith(READERS[name].title) and len(task.train) >= 2 and len(task.test) == 2
    for video in task.train:
        rainy, clean = video.sample(np.random.default_rng(0), 5, 12)
        assert rainy.shape == clean.shape == (5, 3, 12, 12) and not torch.equal(rainy, clean)
    clips = TestClips(task.test, window=5, experience=0)
    assert len(clips) == 4 and clips[0][1].shape == (3, 8, 10)
    train, test = ({video.rainy.name for video in videos} for videos in (task.train, task.test))  # type: ignore[attr-defined]
    assert len(train) == len(task.train) and len(test) == 2 and not train & test  # paths


@pytest.mark.parametrize("name", READERS)
def test_the_folder_that_macos_adds_to_zips_is_no_second_set(name: str, tmp_path: Path) -> None:
    WRITE[name](tmp_path / "zip" / "set", most=1)
    shutil.copytree(tmp_path / "zip" / "set", tmp_path / "zip" / "__MACOSX" / "set")
    assert READERS[name](str(tmp_path)).place()[1].is_relative_to(tmp_path / "zip" / "set")


@pytest.mark.parametrize("name", READERS)
def test_a_missing_or_empty_root_is_one_sentence(name: str, tmp_path: Path) -> None:
    title = READERS[name].title
    with pytest.raises(InputError) as error:
        READERS[name](str(tmp_path / "none")).task(0)
    assert str(error.value) == f"there is no folder {tmp_path}/none to read {title} from; give the one that holds it"
    with pytest.raises(InputError) as error:
        READERS[name](str(tmp_path)).task(0)
    assert str(error.value).startswith(f"no {title} in {tmp_path} or up to 2 folders below: nothing is like ")
    assert str(error.value).endswith("; give the folder that holds it as root") and "\n" not in str(error.value)


# One frame of the first test video of each: rainy, clean, and which frame.
FIRST = {
    "nturain": ("Dataset_Testing_Synthetic/a1_Rain/00003.jpg", "Dataset_Testing_Synthetic/a1_GT/00003.jpg"),
    "rainsynlight25": ("frames_light_test_JPEG/2/rfc-3.jpg", "frames_light_test_JPEG/2/gtc-3.jpg"),
    "rainsyncomplex25": ("frames_heavy_test_JPEG/2/rfc-3.jpg", "frames_heavy_test_JPEG/2/gtc-3.jpg"),
    "rainsynall100": ("Video_rain_synthesis_test/Rain/0900/3.jpg", "Video_rain_synthesis_test/GT/0900/3.jpg"),
    "rainvidss": ("val/rainy/video_00/00002.jpg", "val/gt/video_00/00002.jpg"),
    "vrds": ("test/lq/000/00002.png", "test/gt/000/00002.png"),
    "renderedset": (
        "Dataset_Testing_Rendered/bridge_Rain_01/00003.png",
        "Dataset_Testing_Rendered/bridge_GT/00003.png",
    ),
}


@pytest.mark.parametrize("name", FIRST)
def test_frames_are_those_of_the_files(name: str, tmp_path: Path) -> None:
    WRITE[name](tmp_path)
    video = READERS[name](str(tmp_path)).task(0).test[1 if "25" in name else 0]
    rainy, clean = video.read(2, 1)
    assert torch.equal(rainy[0], pixels(tmp_path / FIRST[name][0]))
    assert torch.equal(clean[0], pixels(tmp_path / FIRST[name][1]))


def test_nturain_is_complete_and_shares_clean_videos(tmp_path: Path) -> None:
    WRITE["nturain"](tmp_path)
    task = NTURain(str(tmp_path)).task(0)
    assert len(task.train) == 25 and len(task.test) == 8 and task.notes[0] == "NTURain"
    assert [note.split()[1] for note in task.notes[1:]] == ["25", "8"]  # all are shorter and smaller, as fakes
    video = next(v for v in task.train if v.name == "t7_Rain_04")
    assert torch.equal(video.read(0, 1)[1][0], pixels(tmp_path / "Dataset_Training_Synthetic/t7_GT/00001.jpg"))
    assert [v.name for v in task.test][:2] == ["a1_Rain", "a2_Rain"]


def test_published_lengths_add_up() -> None:
    train, test, _ = NTURain.forms[""]
    assert sum(length or 0 for length in train.names.values()) == 3123  # as published
    assert len(train.names) == 25 and len(test.names) == 8
    assert [split.published for split in RainSynAll100.forms["Rain"]] == [899, 100]


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    WRITE["rainsyncomplex25"](tmp_path, frames=12)
    rainy, _ = RainSynComplex25(str(tmp_path)).task(0).test[1].read(9, 1)
    assert torch.equal(rainy[0], pixels(tmp_path / "frames_heavy_test_JPEG/2/rfc-10.jpg"))


def test_clean_frames_that_are_a_column_wider_are_cut_and_noted(tmp_path: Path) -> None:
    WRITE["rainsynlight25"](tmp_path)
    task = RainSynLight25(str(tmp_path)).task(0)
    rainy, clean = task.test[0].read(0, 1)
    assert rainy.shape == clean.shape == (1, 3, 16, 24)
    whole = pixels(tmp_path / "frames_light_test_JPEG/1/gtc-1.jpg")
    assert whole.shape == (3, 16, 25) and torch.equal(clean[0], whole[:, :, :24])
    assert task.name == "RainSynLight25-A"
    assert "test: frames of 1 videos cut to the size that rainy and clean ones share" in task.notes


@pytest.mark.parametrize("clean", ["processed", "gt"])
def test_form_b_with_either_name_of_the_clean_folder(clean: str, tmp_path: Path) -> None:
    base = tmp_path / "RainSynLight25"
    WRITE["rainsynlight25"](base, form="B")
    for split in ("train", "test"):
        (base / "video_rain_light" / split / "processed").rename(base / "video_rain_light" / split / clean)
    task = RainSynLight25(str(tmp_path)).task(0)
    assert task.name == "RainSynLight25-B" and len(task.test) == 2  # without the empty folder
    assert torch.equal(task.test[0].read(1, 1)[1][0], pixels(base / f"video_rain_light/test/{clean}/1/2.png"))
    assert task.notes[0] == "RainSynLight25, form B"
    assert "train: 2 videos, where 190 were published" in task.notes


def test_form_b_whose_clean_folder_is_there_again_but_empty(tmp_path: Path) -> None:
    WRITE["rainsynlight25"](tmp_path, frames=9, form="B")
    for split in ("train", "test"):
        folder = tmp_path / "video_rain_light" / split
        (folder / "processed").rename(folder / "gt")
        for video in sorted((folder / "gt").iterdir()):
            (folder / "processed" / video.name).mkdir(parents=True)
            (folder / "processed" / video.name / "Thumbs.db").write_bytes(b"no frame")
    _, clean = RainSynLight25(str(tmp_path)).task(0).test[0].read(0, 1)
    assert torch.equal(clean[0], pixels(tmp_path / "video_rain_light/test/gt/1/1.png"))
    assert not any(report.faulty for report in check_data(tmp_path))


def test_both_forms_at_once_must_be_told_apart(tmp_path: Path) -> None:
    for form in "AB":
        WRITE["rainsynlight25"](tmp_path / form, form=form)
    with pytest.raises(ConfigError) as error:
        RainSynLight25(str(tmp_path)).task(0)
    assert str(error.value) == (
        f"RainSynLight25 is there more than once: form A in {tmp_path}/A and form B in {tmp_path}/B; choose one by "
        "root or form"
    )
    assert RainSynLight25(str(tmp_path), form="B").task(0).name == "RainSynLight25-B"
    assert RainSynLight25(str(tmp_path / "A"), name="light").task(0).name == "light"
    with pytest.raises(ConfigError, match=r"^RainSynLight25 has no form 'C'; choose one of A, B$"):
        RainSynLight25(str(tmp_path), form="C")


def test_halves_of_two_forms_are_no_choice(tmp_path: Path) -> None:
    WRITE["lwdds"](tmp_path, form="split")
    (tmp_path / "test" / "syn").mkdir()
    for kind in ("rainy_vid", "clean_vid"):
        (tmp_path / "test" / kind).rename(tmp_path / "test" / "syn" / kind)
    with pytest.raises(ConfigError) as error:
        LWDDS(str(tmp_path)).task(0)
    assert str(error.value) == (
        f"LWDDS is there more than once: form split in {tmp_path} and form syn in {tmp_path}; none has videos to train "
        "and to test on: put both into one"
    )


def test_a_form_beside_another_that_lies_further_down_is_not_hidden(tmp_path: Path) -> None:
    WRITE["rainsynlight25"](tmp_path, form="A")
    WRITE["rainsynlight25"](tmp_path / "RainSynLight25", form="B")
    with pytest.raises(ConfigError) as error:
        RainSynLight25(str(tmp_path)).task(0)
    assert str(error.value) == (
        f"RainSynLight25 is there more than once: form A in {tmp_path} and form B in {tmp_path}/RainSynLight25; choose "
        "one by root or form"
    )
    assert [report.name for report in check_data(tmp_path)] == ["RainSynLight25, form A", "RainSynLight25, form B"]


def test_links_make_no_second_set(tmp_path: Path) -> None:
    WRITE["nturain"](tmp_path / "elsewhere" / "NTURain", most=1)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "here").symlink_to("../elsewhere/NTURain")
    (tmp_path / "data" / "again").symlink_to("../elsewhere")
    (tmp_path / "data" / "loop").symlink_to(".")
    assert NTURain(str(tmp_path / "data")).place() == ("", tmp_path / "data" / "here")
    assert len(check_data(tmp_path / "data")) == 1


def respell(root: Path) -> None:
    """Writes all names in the other case, from the inside out."""
    for path in sorted(root.rglob("*"), key=lambda path: -len(path.parts)):
        path.rename(path.with_name(path.name.swapcase()))


@pytest.mark.parametrize("name", READERS)
def test_names_may_be_in_another_case(name: str, tmp_path: Path) -> None:
    WRITE[name](tmp_path / "as_published", most=2 if name == "lwdds" else 1)
    shutil.copytree(tmp_path / "as_published", tmp_path / "respelt")
    respell(tmp_path / "respelt")
    usual, other = (READERS[name](str(tmp_path / folder)).task(0) for folder in ("as_published", "respelt"))
    assert usual.notes == other.notes
    for one, two in zip([*usual.train, *usual.test], [*other.train, *other.test], strict=True):
        assert one.name.casefold() == two.name.casefold()  # type: ignore[attr-defined]
    for one, two in zip(usual.test, other.test, strict=True):
        assert all(map(torch.equal, one.read(0, 2), two.read(0, 2)))


def test_published_names_are_kept_where_the_case_is_another(tmp_path: Path) -> None:
    WRITE["nturain"](tmp_path, most=1)
    respell(tmp_path)
    assert [video.name for video in NTURain(str(tmp_path)).task(0).test] == ["a1_Rain"]
    (report,) = check_data(tmp_path)
    assert not any(finding.where == "a1_Rain" for split in report.splits for finding in split.findings)


def test_videos_that_differ_by_case_only_are_two(tmp_path: Path) -> None:
    WRITE["rainvidss"](tmp_path, most=1)
    for kind in ("rainy", "gt"):
        shutil.copytree(tmp_path / "val" / kind / "video_00", tmp_path / "val" / kind / "VIDEO_00")
    names = [[video.rainy.name, video.clean.name] for video in RainVIDSS(str(tmp_path)).task(0).test]
    assert [[Path(path).name for path in pair] for pair in names] == [["VIDEO_00"] * 2, ["video_00"] * 2]
    shutil.rmtree(tmp_path / "val/gt/VIDEO_00")
    with pytest.raises(InputError) as error:
        RainVIDSS(str(tmp_path)).task(0)
    assert str(error.value).startswith(f"{tmp_path}/val/rainy/VIDEO_00 has no clean twin at {tmp_path}/val/gt/VIDEO_00")


@pytest.mark.parametrize("name", READERS)
def test_a_folder_in_one_of_the_same_name_is_opened(name: str, tmp_path: Path) -> None:
    WRITE[name](tmp_path, most=2 if name == "lwdds" else 1)
    before = READERS[name](str(tmp_path)).task(0)
    for folder in list(tmp_path.iterdir()):
        folder.rename(tmp_path / "aside")
        folder.mkdir()
        (tmp_path / "aside").rename(folder / folder.name)
    after = READERS[name](str(tmp_path)).task(0)
    assert before.notes == after.notes
    assert [video.name for video in before.test] == [video.name for video in after.test]


def test_of_a_folder_in_its_own_copy_the_outer_one_counts(tmp_path: Path) -> None:
    WRITE["nturain"](tmp_path, most=1)
    outer = tmp_path / "Dataset_Testing_Synthetic"
    shutil.copytree(outer, tmp_path / "copy")
    (tmp_path / "copy").rename(outer / outer.name)
    (video,) = NTURain(str(tmp_path)).task(0).test
    assert [video.rainy.name, video.clean.name] == [f"{outer}/a1_Rain", f"{outer}/a1_GT"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
@pytest.mark.parametrize("mode", [0o000, 0o600])
def test_what_cannot_be_read_is_not_called_missing(mode: int, tmp_path: Path) -> None:
    WRITE["nturain"](tmp_path / "set", most=1)
    (tmp_path / "lost+found").mkdir(mode=0o000)
    assert len(check_data(tmp_path)) == 1
    folder = tmp_path / "set" / "Dataset_Testing_Synthetic"
    folder.chmod(mode)
    try:
        for root in (tmp_path, tmp_path / "set"):
            with pytest.raises(InputError, match=rf"^{folder} cannot be read \(Permission denied\); check its"):
                check_data(root)
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("name", READERS)
def test_what_a_split_looks_like_is_said_without_regular_expressions(name: str) -> None:
    for splits in READERS[name].forms.values():
        assert not any(set(split.shown) & set(r"()[]\*+?^$|") for split in splits)
    assert NTURain.forms[""][0].shown == "Dataset_Training_Synthetic/<video>_Rain_<n>"


def test_rain_with_and_without_haze(tmp_path: Path) -> None:
    WRITE["rainsynall100"](tmp_path)
    for form in ("Rain", "Rain_Haze"):
        task = RainSynAll100(str(tmp_path), form=form).task(0)
        assert task.name == f"RainSynAll100-{form}" and [v.name for v in task.test] == ["0900", "0901"]
        expected = pixels(tmp_path / f"Video_rain_synthesis_test/{form}/0900/1.jpg")
        assert torch.equal(task.test[0].read(0, 1)[0][0], expected)


def test_frames_that_are_missing_from_both_are_noted(tmp_path: Path) -> None:
    WRITE["rainsynlight25"](tmp_path, form="B", frames=9)
    whole = RainSynLight25(str(tmp_path)).task(0)
    assert {len(video) for video in [*whole.train, *whole.test]} == {9}  # as published
    assert not any("lengths" in note for note in whole.notes)
    for kind in ("input", "processed"):
        (tmp_path / "video_rain_light/test" / kind / "1" / "5.png").unlink()
    assert "test: 1 videos of other lengths or sizes than were published" in RainSynLight25(str(tmp_path)).task(0).notes


def test_gaps_are_noted_where_it_is_not_known_how_many_frames_were_published(tmp_path: Path) -> None:
    WRITE["rainvidss"](tmp_path)
    assert RainVIDSS(str(tmp_path)).task(0).notes == ("RainVID&SS",)
    for kind in ("rainy", "gt"):
        (tmp_path / "val" / kind / "video_00" / "00002.jpg").unlink()
    task = RainVIDSS(str(tmp_path)).task(0)
    assert task.notes == ("RainVID&SS", "test: 1 videos in which frames are missing, so that windows jump")


def test_videos_of_another_part_are_not_said_to_be_missing(tmp_path: Path) -> None:
    WRITE["lwdds"](tmp_path, most=3, form="flat")
    with pytest.raises(InputError) as error:
        LWDDS(str(tmp_path)).task(0)
    assert str(error.value) == (
        f"no train videos of LWDDS in {tmp_path}: what is like rainy_vid/<video> is of other parts or empty; add them"
    )


def test_resized_frames_are_noted(tmp_path: Path) -> None:
    WRITE["vrds"](tmp_path, most=1)
    assert not any("sizes" in note for note in VRDS(str(tmp_path)).task(0).notes)
    for path in (tmp_path / "test").rglob("*.png"):
        Image.new("RGB", (640, 360)).save(path)
    assert "test: 1 videos of other lengths or sizes than were published" in VRDS(str(tmp_path)).task(0).notes


@pytest.mark.parametrize("form", ["split", "syn", "flat"])
def test_lwdds_wherever_its_videos_lie(form: str, tmp_path: Path) -> None:
    WRITE["lwdds"](tmp_path, most=8 if form == "flat" else 2, form=form)
    task = LWDDS(str(tmp_path)).task(0)
    assert task.name == f"LWDDS-{form}"
    names = [[video.name for video in part] for part in (task.train, task.test)]
    if form == "flat":
        assert names[1] == [f"{n:04d}" for n in range(9, 15)] and len(names[0]) == 8
        assert any("last 6 videos by name" in note for note in task.notes)
    else:
        assert names == [["0001", "0002"], ["0003", "0004"]]


def test_a_data_set_in_parts_is_read_but_not_without_a_part(tmp_path: Path) -> None:
    WRITE["vrds"](tmp_path, most=1)
    assert "test: 1 videos, where 30 were published" in VRDS(str(tmp_path)).task(0).notes
    shutil.rmtree(tmp_path / "train")
    with pytest.raises(InputError) as error:
        VRDS(str(tmp_path)).task(0)
    assert str(error.value) == f"no train videos of VRDS in {tmp_path}: nothing is like train/lq/<video>; add them"


def test_the_frame_s_number_is_the_one_that_differs_from_frame_to_frame(tmp_path: Path) -> None:
    WRITE["rainsynlight25"](tmp_path, form="B", frames=9)
    for path in tmp_path.rglob("input/*/*.png"):
        path.rename(path.with_name(f"{int(path.stem):05d}_rain_x2.png"))
    assert [len(video) for video in RainSynLight25(str(tmp_path)).task(0).test] == [9, 9]
    assert not check_data(tmp_path)[0].faulty
    (tmp_path / "video_rain_light/test/input/1/00004_rain_x2.png").unlink()
    (tmp_path / "video_rain_light/test/processed/1/5.png").unlink()
    with pytest.raises(InputError, match=r"are numbered differently"):
        RainSynLight25(str(tmp_path)).task(0)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["00001_rain_x2", "00002_rain_x2"], [1, 2]),
        (["00001_x2", "00003_x2", "copy_00003_x2"], [1, 3, 3]),
        (["s1_1", "s1_2", "s2_1", "s2_2"], [1, 2, 1, 2]),
        (["00001_x2"], [2]),
        (["1", "2", "2 (1)", "last"], [1, 2, 1, None]),
        (["a", "b"], [None, None]),
        ([], []),
    ],
)
def test_numbers_of_frames(names: list[str], expected: list[int | None]) -> None:
    assert numbers(names) == expected


def test_a_video_that_is_there_in_two_formats_is_not_scored_twice(tmp_path: Path) -> None:
    WRITE["lwdds"](tmp_path)
    folder = tmp_path / "test/rainy_vid"
    shutil.copy(folder / "0004.mp4", folder / "0004.mkv")
    with pytest.raises(InputError) as error:
        LWDDS(str(tmp_path)).task(0)
    assert str(error.value) == (
        f"two videos of LWDDS are called 0004, {folder}/0004.mkv and {folder}/0004.mp4; take one out"
    )
    faults = {(finding.kind.name, finding.where) for finding in check_data(tmp_path)[0].splits[1].findings}
    assert ("REPEATED", "2 x 0004") in faults


def break_twin(root: Path) -> str:
    shutil.rmtree(root / "test/gt/000")
    return f"{root}/test/lq/000 has no clean twin at {root}/test/gt/000; add it or take the video out"


def break_length(root: Path) -> str:
    (root / "test/gt/000/00003.png").unlink()
    return (
        f"{root}/test/lq/000 (6 frames of 1280x720) and {root}/test/gt/000 (5 frames of 1280x720) are no pair for the "
        "video 000; give clean frames of the same number and size"
    )


def break_numbers(root: Path) -> str:
    (root / "test/gt/000/00003.png").unlink()
    (root / "test/lq/000/00001.png").unlink()
    return (
        f"the frames of {root}/test/lq/000 and {root}/test/gt/000 are numbered differently, so which belong "
        "together is unknown; add what is missing to both"
    )


def break_emptiness(root: Path) -> str:
    for kind in ("lq", "gt"):
        shutil.rmtree(root / "test" / kind / "000")
        (root / "test" / kind / "000").mkdir()
    return f"{root}/test/lq/000 holds no frames named <n>; add them or take the video out"


def break_size(root: Path) -> str:
    Image.new("RGB", (1278, 720)).save(root / "test/gt/000/00003.png")
    return f"{root}/test/gt/000/00003.png is 1278x720 but 00000.png is 1280x720; give frames of one size"


@pytest.mark.parametrize("spoil", [break_twin, break_length, break_numbers, break_emptiness, break_size])
def test_pairs_that_do_not_fit_are_one_sentence(spoil: Callable[[Path], str], tmp_path: Path) -> None:
    WRITE["vrds"](tmp_path, most=1)
    sentence = spoil(tmp_path)
    with pytest.raises(InputError) as error:
        VRDS(str(tmp_path)).task(0)
    assert str(error.value) == sentence


def test_unequal_sizes_are_not_cut_where_they_were_not_published_so(tmp_path: Path) -> None:
    WRITE["nturain"](tmp_path, most=1)
    for path in (tmp_path / "Dataset_Testing_Synthetic/a1_GT").glob("*.jpg"):
        Image.new("RGB", (25, 16)).save(path)
    with pytest.raises(InputError, match=r"6 frames of 24x16\) and .* \(6 frames of 25x16\) are no pair"):
        NTURain(str(tmp_path)).task(0)


def test_sizes_are_cut_by_some_pixels_only(tmp_path: Path) -> None:
    WRITE["rainsynlight25"](tmp_path)
    Image.new("RGB", (48, 32)).save(tmp_path / "frames_light_test_JPEG/2/gtc-2.jpg")
    with pytest.raises(InputError, match=r"gtc-2.jpg is 48x32 but gtc-1.jpg is 24x16; give frames of one size"):
        RainSynLight25(str(tmp_path)).task(0)


def test_what_is_scored_can_be_cut_to_something_only(tmp_path: Path) -> None:
    WRITE["nturain"](tmp_path, most=1)
    with pytest.raises(ConfigError, match=r"^test_frames and test_size must be 1 or more, not 0, None; correct them$"):
        NTURain(str(tmp_path), test_frames=0).task(0)


def test_readers_tell_apart_what_looks_alike(tmp_path: Path) -> None:
    for name, write in WRITE.items():
        write(tmp_path / name, most=1 if name != "lwdds" else 2)
    for name, reader in READERS.items():
        assert issubclass(reader, PublishedPairs)
        task = reader(str(tmp_path)).task(0)  # finds its own among all
        assert str(tmp_path / name) in task.test[0].rainy.name  # type: ignore[attr-defined]
