"""A small VRDS with the real folder and file names; a script that writes it here (PYTHONPATH=tests).

`most` videos of each part and `frames` frames of each video are written; None writes as many as were published.
"""

from pathlib import Path

from fakeframes import remove, write_frames

CLIPS = {"train": 72, "test": 30}


def write(root: Path, most: int | None = 2, frames: int = 6) -> None:
    """Writes the data set below `root`, deleting what was there; how many frames were published is not known here."""
    for split, clips in CLIPS.items():
        remove(root / split)
        for clip in range(min(clips, most or clips)):
            for kind in ("lq", "gt"):
                write_frames(root / split / kind / f"{clip:03d}", [f"{n:05d}.png" for n in range(frames)], (720, 1280))


if __name__ == "__main__":
    write(Path(__file__).parent)
