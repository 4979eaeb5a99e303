"""NTURain: synthetic rain over video from a car (b, fast) and a hand-held camera (a, slow), 640x480 or so.

J. Chen, C.-H. Tan, J. Hou, L.-P. Chau and H. Li, "Robust Video Content Alignment and Compensation for Rain Removal in
a CNN Framework", CVPR 2018.

    Dataset_Training_Synthetic/t{1..8}_Rain_{01..03}/%05d.jpg      clean: t{n}_GT, shared by the variants; t7 has _04
    Dataset_Testing_Synthetic/{a1..a4,b1..b4}_{Rain,GT}/%05d.jpg
"""

import re
from pathlib import Path

from raincheck.datasets.base import Task, TaskSource
from raincheck.datasets.folder import PairedFootage, open_pair
from raincheck.errors import InputError


class NTURain(TaskSource):
    """NTURain's synthetic part as one rain type; 25 training and 8 test videos when complete.

    Args:
        root: folder that holds `Dataset_Training_Synthetic` and `Dataset_Testing_Synthetic`.
        name: what the task is called.
        test_frames: at most so many frames of each test video; None, as published, all.
        test_size: test videos are cut to this height and width around their centre; None, as published, keeps all.
    """

    def __init__(
        self,
        root: str,
        name: str = "nturain",
        test_frames: int | None = None,
        test_size: tuple[int, int] | None = None,
    ) -> None:
        self.root, self.name, self.test_frames, self.test_size = Path(root), name, test_frames, test_size

    def task(self, seed: int) -> Task:
        """Opens all videos; `seed` changes nothing, the split is the published one.

        Raises:
            InputError: if a folder is missing or a pair does not fit.
        """
        train = self.pairs("Dataset_Training_Synthetic", r"(t\d+)_Rain_\d+", None, None)
        return Task(
            self.name,
            train,
            self.pairs("Dataset_Testing_Synthetic", r"([ab]\d+)_Rain", self.test_frames, self.test_size),
        )

    def pairs(self, part: str, pattern: str, frames: int | None, size: tuple[int, int] | None) -> list[PairedFootage]:
        """The pairs of one part whose rainy folders match `pattern`; its group names the scene.

        Raises:
            InputError: if there are none, or one does not fit.
        """
        found = {path: re.fullmatch(pattern, path.name) for path in sorted((self.root / part).glob("*_Rain*"))}
        pairs = [
            open_pair(path.name, path, path.with_name(f"{match[1]}_GT"), frames, size)
            for path, match in found.items()
            if match is not None
        ]
        if not pairs:
            raise InputError(
                f"no NTURain videos like {pattern} in {self.root / part}; give the data set's folder as root"
            )
        return pairs
