"""The global generators, and numbers drawn beside them."""

import random

import numpy as np
import pytest
import torch
from lightning import seed_everything

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


def test_seeds_are_those_of_lightning(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PL_GLOBAL_SEED", "PL_SEED_WORKERS"):
        monkeypatch.setenv(name, "0")  # which Lightning sets; it is put back
    seed_everything(2**32 - 1, verbose=False)
    theirs = generators.generators()
    random.random(), np.random.rand(), torch.rand(())
    generators.seed_generators(2**32 - 1)
    assert generators.same(generators.generators(), theirs)
