"""RainSynComplex25, also called Heavy25: dense synthetic rain with accumulation.

J. Liu, W. Yang, S. Yang and Z. Guo, "Erase or Fill? Deep Joint Recurrent Rain Removal and Reconstruction in Videos",
CVPR 2018.

The two forms are those of RainSynLight25 (rainsynlight25.py), with `heavy` for `light`:

    A   frames_heavy_{train,test}_JPEG/<id>/{rfc,gtc}-<n>.jpg          190 training videos of 9 frames, 25 test of 31
    B   video_rain_heavy/{train,test}/{input,processed}/<id>/<n>.png   190 training and 33 test videos of 9 frames
"""

from typing import ClassVar

from raincheck.datasets.layout import Forms
from raincheck.datasets.published import PublishedPairs
from raincheck.datasets.rainsynlight25 import form_a, form_b


class RainSynComplex25(PublishedPairs):
    """RainSynComplex25 in form A or B, which the task's name tells."""

    title = "RainSynComplex25"
    forms: ClassVar[Forms] = {
        "A": (form_a("heavy", "train", 190, 9), form_a("heavy", "test", 25, 31)),
        "B": (form_b("heavy", "train", 190), form_b("heavy", "test", 33)),
    }
