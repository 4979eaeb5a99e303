"""A small RainSynComplex25 with the real folder and file names; a script that writes it here (PYTHONPATH=tests).

`most` videos of each part and `frames` frames of each video are written; None writes as many as were published.
"""

from pathlib import Path

from fakeframes import write_form_a, write_form_b

CLIPS = {"A": {"train": (190, 9), "test": (25, 31)}, "B": {"train": (190, 9), "test": (33, 9)}}


def write(root: Path, most: int | None = 2, frames: int | None = 6, form: str = "A") -> None:
    """Writes the data set in one form below `root`, deleting what was there in that form."""
    for split, (clips, length) in CLIPS[form].items():
        write_form = write_form_a if form == "A" else write_form_b
        write_form(root, "heavy", split, min(clips, most or clips), frames or length)


if __name__ == "__main__":
    write(Path(__file__).parent)
