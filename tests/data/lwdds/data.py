"""A small LWDDS with the real folder and file names; a script that writes it here (PYTHONPATH=tests).

`most` videos of each part and `frames` frames of each video are written; None writes as many as were published.
"""

from pathlib import Path

from fakeframes import remove, write_clip

CLIPS = {"train": 45, "test": 6}
FOLDERS = {"split": ("train", "test"), "syn": ("train/syn", "test/syn"), "flat": ("", "")}


def write(root: Path, most: int | None = 2, frames: int = 6, form: str = "split") -> None:
    """Writes the data set below `root`, deleting what was there; how many frames were published is not known here."""
    places = [root / folder / kind for folder in FOLDERS[form] for kind in ("rainy_vid", "clean_vid")]
    remove(*places)
    names = (f"{number:04d}.mp4" for number in range(1, 100))
    for split, folder in zip(CLIPS, FOLDERS[form], strict=True):
        for _ in range(min(CLIPS[split], most or CLIPS[split])):
            name = next(names)
            for kind in ("rainy_vid", "clean_vid"):
                write_clip(root / folder / kind / name, frames)


if __name__ == "__main__":
    write(Path(__file__).parent)
