"""A small RainSynAll100 with the real folder and file names; a script that writes it here (PYTHONPATH=tests).

`most` videos of each part and `frames` frames of each video are written; None writes as many as were published.
"""

from pathlib import Path

from fakeframes import remove, write_frames

CLIPS = {"train": range(1, 900), "test": range(900, 1000)}


def write(root: Path, most: int | None = 2, frames: int = 6) -> None:
    """Writes the data set below `root`, deleting what was there; how many frames were published is not known here."""
    for split, ids in CLIPS.items():
        remove(root / f"Video_rain_synthesis_{split}")
        for clip in ids[:most]:
            for kind in ("GT", "Rain", "Rain_Haze"):
                folder = root / f"Video_rain_synthesis_{split}" / kind / f"{clip:04d}"
                write_frames(folder, [f"{n}.jpg" for n in range(1, frames + 1)])


if __name__ == "__main__":
    write(Path(__file__).parent)
