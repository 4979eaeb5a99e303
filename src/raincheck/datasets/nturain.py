"""NTURain: synthetic rain over video from a car (b, fast) and a hand-held camera (a, slow), 640x480 or so.

J. Chen, C.-H. Tan, J. Hou, L.-P. Chau and H. Li, "Robust Video Content Alignment and Compensation for Rain Removal in
a CNN Framework", CVPR 2018.

    Dataset_Training_Synthetic/t{1..8}_Rain_{01..03}/%05d.jpg      clean: t{n}_GT, shared by the variants; t7 has _04
    Dataset_Testing_Synthetic/{a1..a4,b1..b4}_{Rain,GT}/%05d.jpg
    Dataset_Testing_RealRain/{ra1..ra4,rb1..rb3}_Rain/%05d.jpg     real rain, which has no clean twin
"""

from typing import ClassVar

from raincheck.datasets.layout import Forms, Split
from raincheck.datasets.published import PublishedPairs

TRAIN = {"t1": 80, "t2": 112, "t3": 128, "t4": 136, "t5": 128, "t6": 138, "t7": 138, "t8": 135}
TEST = {"a1": 168, "a2": 116, "a3": 125, "a4": 298, "b1": 256, "b2": 250, "b3": 219, "b4": 250}
REAL = {"ra1": 60, "ra2": 90, "ra3": 80, "ra4": 108, "rb1": 120, "rb2": 60, "rb3": 140}


def variants(scene: str) -> range:
    """Numbers of the rains over a training scene."""
    return range(1, 5 if scene == "t7" else 4)


class NTURain(PublishedPairs):
    """NTURain's synthetic part: 25 training videos with 3,123 frames, 8 test videos with 1,682."""

    title = "NTURain"
    forms: ClassVar[Forms] = {
        "": (
            Split(
                "train",
                r"Dataset_Training_Synthetic/(t\d+)_Rain_\d+",
                [r"Dataset_Training_Synthetic/\1_GT"],
                names={f"{t}_Rain_{i:02d}": length for t, length in TRAIN.items() for i in variants(t)},
                first=1,
            ),
            Split(
                "test",
                r"Dataset_Testing_Synthetic/([ab]\d+)_Rain",
                [r"Dataset_Testing_Synthetic/\1_GT"],
                names={f"{clip}_Rain": length for clip, length in TEST.items()},
                first=1,
            ),
            Split(
                "real",
                r"Dataset_Testing_RealRain/(r[ab]\d+)_Rain",
                names={f"{clip}_Rain": length for clip, length in REAL.items()},
                first=1,
            ),
        )
    }
