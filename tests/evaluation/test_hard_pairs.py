"""Odd inputs as a pair to score."""

from pathlib import Path

import pytest

from hardinputs import BROKEN, LARGE, SMALL, WHOLE, frames_of
from raincheck.errors import InputError
from raincheck.evaluation.pair import evaluate_pair
from tinyvideo import listing, noise, write_folder


@pytest.mark.parametrize("name", SMALL)
def test_an_input_is_its_own_perfect_twin(tmp_path: Path, name: str) -> None:
    path = WHOLE[name](tmp_path)
    before, most = listing(tmp_path), 1 if name in LARGE else 2
    scores = evaluate_pair(path, path, "identity", slice(most))
    assert scores["frames"] == min(most, sum(1 for _ in frames_of(path)))
    assert scores["psnr_y"] == scores["psnr_rgb"] == 100 and scores["ssim_y"] == pytest.approx(1)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_ones_are_refused_on_either_side(tmp_path: Path, name: str, twin: bool) -> None:
    make, message = BROKEN[name]
    path, good = make(tmp_path), write_folder(tmp_path / "good", noise(12 if name == "corrupt middle" else 3))
    with pytest.raises(InputError, match=message):
        evaluate_pair(*((good, path) if twin else (path, good)), "identity")
