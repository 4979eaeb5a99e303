"""Paired videos on disk in the generic form, over generated fakes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from fakeframes import write_frames
from raincheck.datasets.folder import PairedFolders
from raincheck.errors import ConfigError, InputError, RaincheckWarning
from raincheck.video.images.still import read_image


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    for video in ("street/a", "street/b", "park/a"):
        for kind in ("rainy", "clean"):
            write_frames(tmp_path / kind / video, [f"{n:05d}.jpg" for n in range(1, 4)])
    return tmp_path


def test_trees_are_matched_by_relative_name(trees: Path) -> None:
    task = PairedFolders("x", "rainy", "clean", test=["street/a"], root=str(trees)).task(0)
    assert [v.name for v in task.train] == ["park/a", "street/b"] and [v.name for v in task.test] == ["street/a"]
    rainy, clean = task.test[0].read(1, 2)
    assert torch.equal(rainy[1], read_image(trees / "rainy/street/a/00003.jpg"))
    assert torch.equal(clean[0], read_image(trees / "clean/street/a/00002.jpg"))


def test_both_of_a_pair_are_cut_alike(trees: Path) -> None:
    shutil.rmtree(trees / "clean")
    shutil.copytree(trees / "rainy", trees / "clean")
    task = PairedFolders("x", "rainy", "clean", root=str(trees), test_frames=2, test_size=(8, 10)).task(0)
    for seed in range(5):
        rainy, clean = task.train[0].sample(np.random.default_rng(seed), 2, 12)
        assert rainy.shape == (2, 3, 12, 12) and torch.equal(rainy, clean)
    assert len(task.test) == 1 and len(task.test[0]) == 2 and task.test[0].size == (8, 10)
    assert torch.equal(task.test[0].read(0, 1)[1][0], read_image(trees / "rainy/street/b/00001.jpg")[:, 4:12, 7:17])


def test_a_root_may_be_given_later(trees: Path) -> None:
    source = PairedFolders("x", "rainy", "clean")
    source.rebase(trees)
    assert len(source.task(0).train) == 2


def test_a_video_without_partner_is_named(trees: Path) -> None:
    shutil.rmtree(trees / "clean/park/a")
    with pytest.raises(InputError) as error:
        PairedFolders("x", "rainy", "clean", root=str(trees)).task(0)
    sentence = f"{trees}/rainy/park/a has no partner called park/a in {trees}/clean; add it or take the video out"
    assert str(error.value) == sentence


def test_pairs_of_different_length_name_both(trees: Path) -> None:
    (trees / "clean/park/a/00003.jpg").unlink()
    with pytest.raises(InputError) as error:
        PairedFolders("x", "rainy", "clean", root=str(trees)).task(0)
    assert str(error.value) == (
        f"{trees}/rainy/park/a (3 frames of 24x16) and {trees}/clean/park/a (2 frames of 24x16) are no pair for the "
        "video park/a; give clean frames of the same number and size"
    )


@pytest.mark.parametrize("others", [["park/a"], ["park/a", "street/a"], ["park/a", "street/a", "street/b"]])
def test_those_that_count_from_another_number_are_named_at_once(trees: Path, others: list[str]) -> None:
    for folder in (trees / "clean" / other for other in others):
        for path in sorted(folder.glob("*.jpg"), reverse=True):
            path.rename(folder / f"{int(path.stem) + 7:05d}{path.suffix}")
    with pytest.warns(RaincheckWarning) as said:
        task = PairedFolders("x", "rainy", "clean", root=str(trees)).task(0)
    more = f", and {len(others) - 1} more alike" if len(others) > 1 else ""
    assert [str(warning.message) for warning in said] == [
        f"the frames of {trees}/rainy/park/a are numbered from 1 and those of {trees}/clean/park/a from 8{more}; the "
        "first is taken for the twin of the first, so if one lacks its first frame, leave out the other's"
    ]
    rainy, clean = task.train[0].read(1, 2)
    assert torch.equal(clean[0], read_image(trees / "clean/park/a/00009.jpg")) and len(rainy) == 2


def test_frames_of_different_numbers_are_refused(trees: Path) -> None:
    (trees / "clean/park/a/00003.jpg").rename(trees / "clean/park/a/00004.jpg")
    with pytest.raises(InputError) as error:
        PairedFolders("x", "rainy", "clean", root=str(trees)).task(0)
    assert str(error.value) == (
        f"the frames of {trees}/rainy/park/a and {trees}/clean/park/a are numbered differently, so which belong "
        "together is unknown; add what is missing to both"
    )


@pytest.mark.parametrize("names", [["a", "b", "c"], ["a9", "b9", "c9"], ["rain-1", "rain-2", "rain-3"]])
def test_names_that_number_nothing_or_the_same_are_matched_in_order(trees: Path, names: list[str]) -> None:
    for old, new in zip(("00001", "00002", "00003"), names, strict=True):
        (trees / f"clean/park/a/{old}.jpg").rename(trees / f"clean/park/a/{new}.jpg")
    assert len(PairedFolders("x", "rainy", "clean", root=str(trees)).task(0).train) == 2


def test_the_folder_that_macos_adds_to_zips_holds_no_video(trees: Path) -> None:
    shutil.copytree(trees / "rainy/park", trees / "rainy/__MACOSX/park")
    task = PairedFolders("x", "rainy", "clean", root=str(trees)).task(0)
    assert [v.name for v in (*task.train, *task.test)] == ["park/a", "street/a", "street/b"]


def test_unknown_test_videos_and_missing_folders_are_refused(trees: Path) -> None:
    with pytest.raises(ConfigError, match=r"no video is called 'c' in .*; choose test videos among park/a, street/a"):
        PairedFolders("x", "rainy", "clean", test=["c"], root=str(trees)).task(0)
    with pytest.raises(InputError, match="there is no folder of videos at"):
        PairedFolders("x", "rain", "clean", root=str(trees)).task(0)
