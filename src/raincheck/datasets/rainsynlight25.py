"""RainSynLight25: thin synthetic rain; its sister RainSynComplex25 is laid out alike.

J. Liu, W. Yang, S. Yang and Z. Guo, "Erase or Fill? Deep Joint Recurrent Rain Removal and Reconstruction in Videos",
CVPR 2018.

Two incompatible forms circulate, and published numbers for the two differ by several dB:

    A   frames_light_{train,test}_JPEG/<id>/{rfc,gtc}-<n>.jpg          colour; rf- and gt- are grey, and not read.
        Some clean frames are 889x500 where the rainy ones are 888x500: both are cut to what they share.
    B   video_rain_light/{train,test}/{input,processed}/<id>/<n>.png   some copies call the clean folder gt.
        190 training videos, 27 test videos and one empty folder, 9 frames each.
"""

from typing import ClassVar

from raincheck.datasets.layout import ANY, Forms, Split
from raincheck.datasets.published import PublishedPairs

REMARK = "published numbers for forms A and B differ by several dB: name the form with every score"


def form_a(rain: str, split: str, clips: int | None, frames: int | None) -> Split:
    """A split of form A, `rain` being `light` or `heavy`."""
    path = f"frames_{rain}_{split}_JPEG"
    twin = rf"{path}/\1"
    about = REMARK if split == "test" else None
    return Split(split, f"{path}/{ANY}", [twin], ("rfc-", "gtc-"), clips=clips, frames=frames, slack=2, remark=about)


def form_b(rain: str, split: str, clips: int, empty: int = 0) -> Split:
    """A split of form B, `rain` being `light` or `heavy`."""
    path = f"video_rain_{rain}/{split}"
    twins = [rf"{path}/{name}/\1" for name in ("processed", "gt")]
    about = REMARK if split == "test" else None
    return Split(split, f"{path}/input/{ANY}", twins, clips=clips, frames=9, empty=empty, remark=about)


class RainSynLight25(PublishedPairs):
    """RainSynLight25 in form A or B, which the task's name tells."""

    title = "RainSynLight25"
    # How many light videos form A was published with is not known here.
    forms: ClassVar[Forms] = {
        "A": (form_a("light", "train", None, None), form_a("light", "test", None, None)),
        "B": (form_b("light", "train", 190), form_b("light", "test", 27, empty=1)),
    }
