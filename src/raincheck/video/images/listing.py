"""Which files of a folder are frames, in which order, and how they are numbered."""

import re
from collections.abc import Sequence
from pathlib import Path

from raincheck.errors import InputError

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pnm"}


def natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Sorts `2.png` before `10.png`, and otherwise by name."""
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in parts], path.name


def frame_files(folder: Path) -> list[Path]:
    """The images of a folder in natural order; Thumbs.db, dotfiles, subfolders and other files are ignored.

    Raises:
        InputError: if the folder cannot be read or holds no image.
    """
    inside = entries(folder)
    files = pictures(inside)
    if not files:
        what = f"none of its {len(inside)} entries is an image" if inside else "it is empty"
        raise InputError(
            f"{folder} holds no frames: {what}; give a folder of {', '.join(sorted(SUFFIXES))} files, or videos by the "
            "names of their files"
        )
    return files


def entries(folder: Path) -> list[Path]:
    """Everything in a folder, in no order.

    Raises:
        InputError: if the folder cannot be read.
    """
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); check its permissions") from None


def hidden(path: Path) -> bool:
    """Whether its name hides it, or it is the folder that macOS adds to zips, in which each name is there again."""
    return path.name.startswith(".") or path.name == "__MACOSX"


def numbers(names: Sequence[str]) -> list[int | None]:
    """The frames' numbers by the names of a folder's frames, None for a frame that has none.

    Of the numbers in a name it is the one that differs most from frame to frame, as 7 in `00007_rain_x2`; of several
    the last. Where the names hold more and fewer numbers, it is the last of each.
    """
    found = [[int(digits) for digits in re.findall(r"\d+", name)] for name in names]
    kinds = [len(set(column)) for column in zip(*found, strict=False)]
    alike = len({len(own) for own in found}) == 1
    at = max(range(len(kinds)), key=lambda i: (kinds[i], i)) if alike and kinds else -1
    return [own[at] if own else None for own in found]


def pictures(paths: list[Path]) -> list[Path]:
    """Those of a folder's entries that are images, by their suffix, in natural order."""
    files = [p for p in paths if p.suffix.lower() in SUFFIXES and not hidden(p) and p.is_file()]
    return sorted(files, key=natural)
