"""A small set as `raincheck data render` lays it out; a script that writes it here (PYTHONPATH=tests).

`most` clips of each part and `frames` frames of each video are written.
"""

from pathlib import Path

from fakeframes import remove, write_frames

CLIPS = {"Dataset_Training_Rendered": ["street", "park one", "über"], "Dataset_Testing_Rendered": ["bridge", "market"]}


def write(root: Path, most: int | None = None, frames: int = 6) -> None:
    """Writes the set below `root`, deleting what was there."""
    for part, clips in CLIPS.items():
        remove(root / part)
        for clip in clips[:most]:
            for kind in ("GT", "Rain_01", *(["Rain_02"] if part.startswith("Dataset_Training") else [])):
                write_frames(root / part / f"{clip}_{kind}", [f"{i:05d}.png" for i in range(1, frames + 1)])


if __name__ == "__main__":
    write(Path(__file__).parent)
