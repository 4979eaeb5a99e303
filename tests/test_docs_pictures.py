"""The pictures in docs/ are what their scripts draw."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from program import PATIENCE

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rain", "before_after"])
def test_a_picture_is_drawn_again(tmp_path: Path, name: str) -> None:
    subprocess.run([sys.executable, str(DOCS / f"{name}.py"), str(tmp_path / "a.jpg")], check=True, timeout=PATIENCE)
    there, made = (np.asarray(Image.open(path)).astype(float) for path in (DOCS / f"{name}.jpg", tmp_path / "a.jpg"))
    assert there.shape == made.shape and np.abs(there - made).mean() < 1  # libjpeg's versions differ by less
