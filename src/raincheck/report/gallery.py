"""Frames to look at: rainy, derained by each row, clean; one after another, in one file with the page."""

import hashlib
import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from raincheck.errors import InputError
from raincheck.report.runs import Run

GIVEN = ("rainy", "clean")  # what comes with every frame
QUALITY = 92  # of JPEG; PNG would take five times the room


@dataclass(frozen=True)
class Picture:
    """A frame as one row left it."""

    frame: int
    caption: str
    address: str


@dataclass(frozen=True)
class Gallery:
    """Successive frames of a task's test video: what there is of each, by caption; for each frame its pictures."""

    task: str
    captions: list[str]
    frames: list[tuple[int, list[Picture]]]

    @property
    def opening(self) -> int:
        """Which of the captions the page shows first beside the first: what some row made of it."""
        return min(1, len(self.captions) - 1)


def galleries(runs: Sequence[Run], names: Sequence[str]) -> list[Gallery]:
    """One a task; runs that derained the very same frames share it. Of each row the first run with pictures is shown.

    Args:
        runs: whose frames are shown.
        names: of their rows, in the order of the captions.

    Raises:
        InputError: if a picture cannot be read or is no PNG.
    """
    shown: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: names.index(run.name)):
        if run.frames:
            shown.setdefault(run.name, run)
    tasks = list(dict.fromkeys([*(t for run in runs for t in run.tasks), *(t for run in runs for t, _ in run.frames)]))
    found: list[Gallery] = []
    for task in tasks:
        together: dict[str, list[Run]] = {}
        for run in shown.values():
            if any(name == task for name, _ in run.frames):
                together.setdefault(_footage(run, task), []).append(run)
        found += [_gallery(task, same) for same in together.values()]
    return found


def _gallery(task: str, runs: Sequence[Run]) -> Gallery:
    frames = []
    for number in sorted({frame for run in runs for name, frame in run.frames if name == task}):
        kinds = runs[0].frames.get((task, number), {})
        layers = {"rainy": kinds.get("rainy"), **_derained(runs, task, number), "clean": kinds.get("clean")}
        pictures = [Picture(number, caption, address(path)) for caption, path in layers.items() if path]
        frames.append((number, pictures))
    captions = list(dict.fromkeys(picture.caption for _, pictures in frames for picture in pictures))
    return Gallery(task, captions, frames)


def _derained(runs: Sequence[Run], task: str, number: int) -> dict[str, Path | None]:
    """By caption; a row that is called as one of the others is told from it."""
    captions = [f"{run.name} (derained)" if run.name in GIVEN else run.name for run in runs]
    pictures = [run.frames.get((task, number), {}).get("derained") for run in runs]
    return dict(zip(captions, pictures, strict=True))


def _footage(run: Run, task: str) -> str:
    """What was derained: equal where two runs were shown the same frames."""
    same: list[tuple[int, str, str]] = []
    for (name, number), kinds in sorted(run.frames.items()):
        if name == task:
            same.append((number, _digest(kinds, "rainy"), _digest(kinds, "clean")))
    return str(same)


def _digest(kinds: Mapping[str, Path], kind: str) -> str:
    return hashlib.sha256(_bytes(kinds[kind])).hexdigest() if kind in kinds else ""


def address(path: Path) -> str:
    """A `data:` address of a picture, as JPEG without subsampled colours.

    Raises:
        InputError: if it cannot be read or is no PNG.
    """
    jpeg = io.BytesIO()
    try:
        with Image.open(io.BytesIO(_bytes(path)), formats=["PNG"]) as picture:
            picture.convert("RGB").save(jpeg, "JPEG", quality=QUALITY, subsampling=0)
    except (UnidentifiedImageError, OSError, SyntaxError):
        raise InputError(f"{path} is not a PNG image; remove it or run again") from None
    return f"data:image/jpeg;base64,{b64encode(jpeg.getvalue()).decode('ascii')}"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}); make it readable or remove it") from None
