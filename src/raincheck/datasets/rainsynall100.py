"""RainSynAll100: synthetic rain, with and without the haze of its accumulation.

W. Yang, R. T. Tan, J. Feng, S. Wang, B. Cheng and J. Liu, "Recurrent Multi-Frame Deraining: Combining Physics Guidance
and Adversarial Learning", IEEE TPAMI, 2022.

    Video_rain_synthesis_{train,test}/{GT,Rain,Rain_Haze}/<0001..0999>/<n>.jpg, n from 1; 0900 to 0999 are for testing
"""

from typing import ClassVar

from raincheck.datasets.layout import ANY, Forms, Split
from raincheck.datasets.published import PublishedPairs


def split(name: str, rain: str, ids: range) -> Split:
    """A split under one of the two rains."""
    path = f"Video_rain_synthesis_{name}"
    return Split(name, f"{path}/{rain}/{ANY}", [rf"{path}/GT/\1"], names={f"{i:04d}": None for i in ids}, first=1)


class RainSynAll100(PublishedPairs):
    """RainSynAll100 as form `Rain`, the default, or `Rain_Haze`: 899 training and 100 test videos."""

    title = "RainSynAll100"
    usual = "Rain"
    forms: ClassVar[Forms] = {
        rain: (split("train", rain, range(1, 900)), split("test", rain, range(900, 1000)))
        for rain in ("Rain", "Rain_Haze")
    }
