"""A small RainVID&SS with the real folder and file names; a script that writes it here (PYTHONPATH=tests).

`most` videos of each part and `frames` frames of each video are written; None writes as many as were published.
"""

from pathlib import Path

from fakeframes import remove, write_frames


def write(root: Path, most: int = 2, frames: int = 6) -> None:
    """Writes the data set below `root`, deleting what was there; how much was published is not known here."""
    for split in ("train", "val"):
        remove(root / split)
        for clip in range(most):
            for kind in ("rainy", "gt"):
                write_frames(root / split / kind / f"video_{clip:02d}", [f"{n:05d}.jpg" for n in range(frames)])


if __name__ == "__main__":
    write(Path(__file__).parent)
