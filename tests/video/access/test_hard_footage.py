"""Odd inputs as footage to train on."""

from pathlib import Path

import numpy as np
import pytest
from einops import rearrange

from hardinputs import BROKEN, SMALL, WHOLE, frames_of
from raincheck.errors import InputError
from raincheck.video.access.footage import open_footage


@pytest.mark.parametrize("name", SMALL)
def test_every_window_is_what_pyav_and_pillow_decode(tmp_path: Path, name: str) -> None:
    path = WHOLE[name](tmp_path)
    expected, footage = list(frames_of(path, exact=False)), open_footage(path)
    assert (len(footage), footage.size) == (len(expected), expected[0].shape[:2])
    for start in sorted({0, len(expected) // 2, len(expected) - 1}, reverse=True):
        count = min(3, len(expected) - start)
        frames = rearrange(footage.read(start, count), "t c h w -> t h w c").numpy()
        np.testing.assert_array_equal(frames, expected[start : start + count])


@pytest.mark.parametrize("name", BROKEN)
def test_broken_ones_are_refused_when_they_are_opened(tmp_path: Path, name: str) -> None:
    make, message = BROKEN[name]
    path = make(tmp_path)
    with pytest.raises(InputError, match=message):
        open_footage(path)
