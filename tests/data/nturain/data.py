"""Writes a tiny NTURain with the real folder and file names: `write(root)`, or `python data.py` here."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

VARIANTS = {f"t{n}": 4 if n == 7 else 3 for n in range(1, 9)}
TESTS = [f"{part}{n}" for part in "ab" for n in range(1, 5)]


def write_frames(folder: Path, rng: np.random.Generator, frames: int = 3) -> None:
    """Writes `frames` noise frames of 24x16, and the litter that the public copy has."""
    folder.mkdir(parents=True)
    for i in range(1, frames + 1):
        Image.fromarray(rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)).save(folder / f"{i:05d}.jpg")
    (folder / "Thumbs.db").write_bytes(b"not an image")


def write(root: Path) -> None:
    """Writes the data set below `root`, deleting what was there."""
    rng = np.random.default_rng(0)
    names = {
        "Dataset_Training_Synthetic": [
            name for t, n in VARIANTS.items() for name in [f"{t}_GT", *(f"{t}_Rain_{v:02d}" for v in range(1, n + 1))]
        ],
        "Dataset_Testing_Synthetic": [f"{name}_{kind}" for name in TESTS for kind in ("Rain", "GT")],
    }
    for part, folders in names.items():
        shutil.rmtree(root / part, ignore_errors=True)
        for folder in folders:
            write_frames(root / part / folder, rng)


if __name__ == "__main__":
    write(Path(__file__).parent)
