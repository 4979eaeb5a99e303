"""VRDS: raindrops on the lens and rain streaks together, 1280x720.

H. Wu, Y. Yang, H. Chen, J. Ren and L. Zhu, "Mask-Guided Progressive Network for Joint Raindrop and Rain Streak Removal
in Videos", ACM Multimedia 2023.

    {train,test}/{lq,gt}/<video>, frames from 0
"""

from typing import ClassVar

from raincheck.datasets.layout import ANY, Forms, Split
from raincheck.datasets.published import PublishedPairs


class VRDS(PublishedPairs):
    """VRDS: 72 training and 30 test videos."""

    title = "VRDS"
    forms: ClassVar[Forms] = {
        "": tuple(
            Split(name, f"{name}/lq/{ANY}", [rf"{name}/gt/\1"], clips=clips, first=0, size=(720, 1280))
            for name, clips in (("train", 72), ("test", 30))
        )
    }
