"""A small NTURain with the real folder and file names; a script that writes it here (PYTHONPATH=tests).

`most` videos of each part and `frames` frames of each video are written; None writes as many as were published.
"""

from pathlib import Path

from fakeframes import remove, write_frames

SCENES = {"t1": 80, "t2": 112, "t3": 128, "t4": 136, "t5": 128, "t6": 138, "t7": 138, "t8": 135}
TESTS = {"a1": 168, "a2": 116, "a3": 125, "a4": 298, "b1": 256, "b2": 250, "b3": 219, "b4": 250}
REAL = {"ra1": 60, "ra2": 90, "ra3": 80, "ra4": 108, "rb1": 120, "rb2": 60, "rb3": 140}


def write(root: Path, most: int | None = None, frames: int | None = 6) -> None:
    """Writes the data set below `root`, deleting what was there."""
    rains = {scene: range(1, 5 if scene == "t7" else 4) for scene in SCENES}
    parts = {
        "Dataset_Training_Synthetic": [
            (f"{scene}_{kind}", length)
            for scene, length in list(SCENES.items())[:most]
            for kind in ("GT", *(f"Rain_{i:02d}" for i in rains[scene]))
        ],
        "Dataset_Testing_Synthetic": [
            (f"{clip}_{kind}", n) for clip, n in list(TESTS.items())[:most] for kind in ("Rain", "GT")
        ],
        "Dataset_Testing_RealRain": [(f"{clip}_Rain", n) for clip, n in list(REAL.items())[:most]],
    }
    for part, folders in parts.items():
        remove(root / part)
        for folder, length in folders:
            write_frames(root / part / folder, [f"{i:05d}.jpg" for i in range(1, (frames or length) + 1)])


if __name__ == "__main__":
    write(Path(__file__).parent)
