"""Windows of videos: which of them are drawn, and how often."""

from collections import Counter
from itertools import product

import numpy as np
from scipy.stats import chisquare

from raincheck.datasets.base import random_window


def test_every_window_of_a_video_is_as_likely_as_any_other() -> None:
    """The last frame, the last row and the last column included."""
    rng = np.random.default_rng(0)
    drawn = Counter(random_window(rng, 6, (9, 10), 5, 8, "") for _ in range(3000))
    places = list(product(range(2), range(2), range(3)))
    assert sorted(drawn) == places
    assert chisquare([drawn[place] for place in places]).pvalue > 0.01
