"""Which training loops can be run a batch at a time: those that find nothing in a variable from the batch before."""

import runpy
from pathlib import Path
from textwrap import indent

import pytest

from raincheck.seam.own_epoch import is_plain_epoch

LOOP = """
def training_epoch(self, **kwargs):
    for self.mbatch in self.dataloader:
        self.backward()
        self.optimizer_step()
{}
"""
SET_FIRST = [
    "x = 1\ny = x",
    "x = 0\nx += 1",
    "x: int = 1\nf(x)",
    "if a:\n    x = 1\n    y = x",
    "for i in r:\n    f(i)",
    "with c as d:\n    f(d)",
    "z = [q for q in r]",
    "if n := f():\n    g(n)",
    "match a:\n    case 1:\n        x = 1\n        f(x)",
    "x = [1 for _ in r]\nf(x)",
    "f(kwargs)",
]
MAY_BE_READ_FIRST = [
    "y = x\nx = 1",
    "if a:\n    x = 1\nelse:\n    y = x",
    "if a:\n    x = 1\ny = x",
    "x += 1",
    "for i in r:\n    f(i)\ng(i)",
    "while q:\n    x = 1\nf(x)",
    "z = [q for q in r if z]",
    "try:\n    x = 1\nexcept E:\n    f(x)",
    "def g():\n    return x\nx = 1\ng()",
    "f = lambda v: v + x\nx = 1",
    "match a:\n    case 1:\n        x = 1\nf(x)",
    "f(kwargs)\nkwargs = {}",
    "if a:\n    import x\nf(x)",
]


@pytest.mark.parametrize("body", SET_FIRST)
def test_what_each_batch_sets_for_itself(body: str, tmp_path: Path) -> None:
    assert plain(body, tmp_path)


@pytest.mark.parametrize("body", MAY_BE_READ_FIRST)
def test_what_may_be_from_the_batch_before(body: str, tmp_path: Path) -> None:
    assert not plain(body, tmp_path)


def plain(body: str, folder: Path) -> bool:
    path = folder / "own.py"
    path.write_text(LOOP.format(indent(body, " " * 8)))
    return is_plain_epoch(runpy.run_path(str(path))["training_epoch"])
