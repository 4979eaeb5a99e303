"""The global generators, and numbers drawn beside them."""

import random

import numpy as np
import torch

from raincheck import generators


def test_own_numbers_differ_by_key_and_leave_the_generators_as_they_were() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    torch.manual_seed(0)
    before = generators.generators()
    expected = draw()
    generators.set_generators(before)
    drawn = []
    for key in ((0, 1), (1, 1), (0, 2), (0, 1)):
        with generators.own_numbers(*key):
            drawn.append(draw())
    assert draw() == expected
    assert drawn[0] == drawn[3]
    assert len(set(drawn)) == 3 and all(len(set(column)) == 3 for column in zip(*drawn, strict=True))
