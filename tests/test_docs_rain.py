"""docs/rain.jpg is what its script draws."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from program import PATIENCE

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
def test_the_contact_sheet_is_remade(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(DOCS / "rain.py"), str(tmp_path / "rain.jpg")], check=True, timeout=PATIENCE)
    there, made = (np.asarray(Image.open(path)).astype(float) for path in (DOCS / "rain.jpg", tmp_path / "rain.jpg"))
    assert there.shape == made.shape and np.abs(there - made).mean() < 1  # libjpeg's versions differ by less
