"""The odd inputs that evaluation and training are tried on, derained; thousands of files are in test_hard_inputs.py."""

from pathlib import Path

import numpy as np
import pytest

from hardinputs import BROKEN, SMALL, WHOLE, frames_of
from raincheck import derain
from raincheck.errors import InputError
from tinyvideo import listing


@pytest.mark.parametrize("name", [each for each in SMALL if "thousands of files" not in each.values])
def test_every_frame_comes_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "here").mkdir()
    path = WHOLE[name](tmp_path / "here")
    derain(path, tmp_path / "out", weights="identity")
    got, expected = list(frames_of(tmp_path / "out")), list(frames_of(path))
    assert len(got) == len(expected)
    for frame, twin in zip(got, expected, strict=True):
        np.testing.assert_array_equal(frame, twin)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_ones_leave_nothing(tmp_path: Path, name: str) -> None:
    make, message = BROKEN[name]
    path = make(tmp_path)
    before = listing(tmp_path)
    for output in ("out", "out.mp4"):
        with pytest.raises(InputError, match=message):
            derain(path, tmp_path / output, weights="identity")
    assert listing(tmp_path) == before
