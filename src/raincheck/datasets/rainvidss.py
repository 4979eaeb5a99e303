"""RainVID&SS: synthetic rain over driving video, made for deraining and segmentation.

S. Sun, W. Ren, J. Li, K. Zhang, M. Liang and X. Cao, "Event-Aware Video Deraining via Multi-Patch Progressive
Learning", IEEE TIP, 2023.

    {train,val}/{rainy,gt}/<video>/*.jpg; `val` is what is tested on
"""

from typing import ClassVar

from raincheck.datasets.layout import ANY, Forms, Split
from raincheck.datasets.published import PublishedPairs


class RainVIDSS(PublishedPairs):
    """RainVID&SS; how many videos it was published with is not known here."""

    title = "RainVID&SS"
    forms: ClassVar[Forms] = {
        "": (
            Split("train", f"train/rainy/{ANY}", [r"train/gt/\1"]),
            Split("test", f"val/rainy/{ANY}", [r"val/gt/\1"]),
        )
    }
