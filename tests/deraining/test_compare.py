"""Comparisons in one picture."""

from fractions import Fraction

import pytest
import torch

from raincheck.deraining.compare import SWEEP, wipe


@pytest.mark.parametrize(("share", "line"), [(0, 0), (Fraction(1, 4), 32), (Fraction(1, 2), 63), (Fraction(3, 4), 32)])
def test_a_wipe_has_rain_at_the_left_of_its_line_only(share: Fraction, line: int) -> None:
    """A cosine: the line is at the left, in the middle, at the right, and in the middle again."""
    rainy, derained = (torch.full((3, 4, 64), level, dtype=torch.uint8) for level in (10, 20))
    shown = wipe(rainy, derained, share * Fraction(SWEEP))
    assert shown.shape == rainy.shape
    assert shown[1, 2].tolist() == [10] * line + [255] + [20] * (63 - line)
