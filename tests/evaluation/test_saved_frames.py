"""Before and after pictures: the right frames under names that any file system takes."""

from pathlib import Path

import pytest
import torch

from raincheck.datasets.base import Task
from raincheck.evaluation.file_names import LONGEST, file_names
from raincheck.evaluation.frames import save_frames, save_videos
from raincheck.networks import Identity
from raincheck.report.reading import read_frames
from raincheck.video.access.footage import open_footage
from raincheck.video.images.still import read_image
from tinytasks import TinyVideo, tiny_task


def test_middle_frames_of_oddly_named_tasks(tmp_path: Path) -> None:
    veil = tiny_task("veil")
    tasks = [Task("../a b/[x]", veil.train, veil.test)]
    files = save_frames(Identity(3).eval(), tasks, tmp_path / "frames", file_names(["../a b/[x]"]), count=1)
    names = {f"..-a-b--x-_00003_{kind}.png" for kind in ("rainy", "derained", "clean")}
    assert {path.name for path in (tmp_path / "frames").iterdir()} == names
    rainy, clean = veil.test[0].read(3, 1)
    for kind, frame in (("rainy", rainy), ("derained", rainy), ("clean", clean)):
        assert torch.equal(read_image(tmp_path / "frames" / f"..-a-b--x-_00003_{kind}.png"), frame[0])
    assert {path.name for path in files["../a b/[x]"].values()} == names


def test_tasks_whose_names_come_to_the_same_do_not_share_files(tmp_path: Path) -> None:
    """Nor in the report, which finds each task's own again."""
    kinds = {"a/b": "veil", "a b": "streaks", "a-b": "drops"}
    tasks = [Task(name, [], tiny_task(kind).test) for name, kind in kinds.items()]
    save_frames(Identity(3).eval(), tasks, tmp_path / "frames", file_names(kinds), count=1)
    found = read_frames(tmp_path / "frames", list(kinds))
    assert found.keys() == {(name, 3) for name in kinds}
    for name, kind in kinds.items():
        assert torch.equal(read_image(found[name, 3]["rainy"]), tiny_task(kind).test[0].rainy[3])


def test_names_that_no_file_can_have() -> None:
    odd = ["", ".", "..", "x" * 999, "x" * 998, "雨 ☔", "thin", "-2", "---"]
    names = file_names(odd)
    assert len(set(names.values())) == len(odd) and names["thin"] == "thin" and names["雨 ☔"] == "雨--"
    assert all(0 < len(name) <= LONGEST + 2 and name.strip(".") for name in names.values())


@pytest.mark.parametrize(("count", "frames"), [(2, [2, 3]), (3, [2, 3, 4]), (7, [*range(7)]), (8, [*range(7)])])
def test_successive_frames_around_the_middle(tmp_path: Path, count: int, frames: list[int]) -> None:
    """Of a video of seven; the middle one, 3, is what is given back."""
    files = save_frames(Identity(3).eval(), [tiny_task("veil")], tmp_path / "frames", {"veil": "veil"}, count)
    rainy, _ = tiny_task("veil").test[0].read(0, 7)
    for frame in frames:
        assert torch.equal(read_image(tmp_path / "frames" / f"veil_{frame:05d}_derained.png"), rainy[frame])
    assert len(list((tmp_path / "frames").iterdir())) == 3 * len(frames)
    assert files["veil"]["clean"].name == "veil_00003_clean.png"


def test_videos_show_rainy_and_derained_side_by_side(tmp_path: Path) -> None:
    """Cut to even sizes, so that browsers play them; no longer than the test video, nor than asked for."""
    task = tiny_task("veil")
    whole = task.test[0].read(0, 7)
    odd = TinyVideo("odd", *(frames[..., :31, :29] for frames in whole))
    for frames, expected in ((50, 7), (5, 5)):
        tasks = [Task("a/b", task.train, [odd])]
        files = save_videos(Identity(3).eval(), tasks, tmp_path / "frames", {"a/b": "a-b"}, frames)
        assert files == {"a/b": tmp_path / "frames" / "a-b.mp4"}
        video = open_footage(files["a/b"])
        assert len(video) == expected and video.size == (30, 56)
        shown = video.read(0, expected).float()
        for half in (shown[..., :28], shown[..., 28:]):
            assert (half - odd.rainy[:expected, :, :30, :28].float()).abs().mean() < 4  # what H.264 loses
