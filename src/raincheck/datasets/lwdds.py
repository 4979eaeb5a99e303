"""LWDDS: waterdrops on a windscreen, in driving video.

Q. Wen, Y. Wu and Q. Chen, "Video Waterdrop Removal via Spatio-Temporal Fusion in Driving Scenes", ICRA 2023.

    rainy_vid/<video>, clean_vid/<video>: video files or folders of frames, paired by name

45 are for training, 6 for testing. Copies that tell the two apart have them in `train` and `test`, some in a folder
`syn` there. Where all 51 lie together, which ones to test on is not written anywhere: the last six in natural order of
their names are taken, and the task's notes say so.
"""

from typing import ClassVar

from raincheck.datasets.layout import ANY, Forms, Split
from raincheck.datasets.published import PublishedPairs

TEST = 6


def split(name: str, folder: str, clips: int) -> Split:
    """A split in a folder of its own."""
    return Split(name, f"{folder}/rainy_vid/{ANY}", [rf"{folder}/clean_vid/\1"], clips=clips)


class LWDDS(PublishedPairs):
    """LWDDS: 45 training and 6 test videos, in folders of their own (`split`, `syn`) or all together (`flat`)."""

    title = "LWDDS"
    forms: ClassVar[Forms] = {
        "split": (split("train", "train", 45), split("test", "test", TEST)),
        "syn": (split("train", "train/syn", 45), split("test", "test/syn", TEST)),
        "flat": (
            Split("train", f"rainy_vid/{ANY}", [r"clean_vid/\1"], clips=45, among=slice(None, -TEST)),
            Split(
                "test",
                f"rainy_vid/{ANY}",
                [r"clean_vid/\1"],
                clips=TEST,
                among=slice(-TEST, None),
                remark=f"test: the last {TEST} videos by name, which no publication says",
            ),
        ),
    }
