"""A small RainSynLight25 with the real folder and file names; a script that writes it here (PYTHONPATH=tests).

`most` videos of each part and `frames` frames of each video are written; None writes as many as were published.
"""

from pathlib import Path

from fakeframes import write_form_a, write_form_b

# How many light videos form A was published with is not known here.
CLIPS = {"A": {"train": (2, 9), "test": (2, 9)}, "B": {"train": (190, 9), "test": (27, 9)}}


def write(root: Path, most: int | None = 2, frames: int | None = 6, form: str = "A") -> None:
    """Writes the data set in one form below `root`, deleting what was there in that form."""
    for split, (clips, length) in CLIPS[form].items():
        write_form = write_form_a if form == "A" else write_form_b
        write_form(root, "light", split, min(clips, most or clips), frames or length)
    if form == "B":
        (root / "video_rain_light/test/input/28").mkdir()  # the public copy has an empty folder


if __name__ == "__main__":
    write(Path(__file__).parent)
