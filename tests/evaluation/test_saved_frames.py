"""Before and after pictures: the right frames under names that any file system takes."""

from pathlib import Path

import torch

from raincheck.datasets.base import Task
from raincheck.evaluation.frames import save_frames
from raincheck.networks import Identity
from raincheck.video.still import read_image
from tinytasks import tiny_task


def test_middle_frames_of_oddly_named_tasks(tmp_path: Path) -> None:
    veil = tiny_task("veil")
    save_frames(Identity(3).eval(), [Task("../a b/[x]", veil.train, veil.test)], tmp_path / "frames")
    names = {f"..-a-b--x-_00003_{kind}.png" for kind in ("rainy", "derained", "clean")}
    assert {path.name for path in (tmp_path / "frames").iterdir()} == names
    rainy, clean = veil.test[0].read(3, 1)
    for kind, frame in (("rainy", rainy), ("derained", rainy), ("clean", clean)):
        assert torch.equal(read_image(tmp_path / "frames" / f"..-a-b--x-_00003_{kind}.png"), frame[0])
