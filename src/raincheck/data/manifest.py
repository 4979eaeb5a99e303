"""What a rendered set says of itself: manifest.json (what each video is) and SHA256SUMS (what each file is)."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from raincheck.datasets.renderedset import MANIFEST
from raincheck.errors import OutputError
from raincheck.files import write_text
from raincheck.rain.drawn import Drawn
from raincheck.rain.drops import Seed
from raincheck.rain.parameters import Rain
from raincheck.video.images.listing import entries, pictures

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Made:
    """A video of the set.

    Attributes:
        split: train or test.
        folder: where it is in the set.
        source: file or folder name of the clean clip.
        fps: frames a second of the clip, None if unknown.
        size: height and width, pixels.
        depth: file name of its depth map, None without one.
        clean: folder of the clean twin; None for a clean video.
        kind: what the type of rain is called.
        rain: its parameters in this video.
        seed: of its drops.
    """

    split: str
    folder: str
    source: str
    fps: Fraction | None
    size: tuple[int, int]
    depth: str | None = None
    clean: str | None = None
    kind: str | None = None
    rain: Rain | Drawn | None = None
    seed: Seed | None = None

    def under(self, folder: str, kind: str, rain: Rain | Drawn, seed: Seed) -> "Made":
        """A rainy video of this clean one."""
        return replace(self, folder=folder, clean=self.folder, kind=kind, rain=rain, seed=seed)

    def told(self, frames: int, digest: str) -> dict[str, Any]:
        """Its entry in the manifest; `digest` is the SHA-256 of its lines in SHA256SUMS."""
        entry: dict[str, Any] = {"folder": self.folder, "split": self.split, "source": self.source, "frames": frames}
        entry |= {"height": self.size[0], "width": self.size[1], "fps": None if self.fps is None else str(self.fps)}
        if self.rain is not None:
            entry |= {"clean": self.clean, "type": self.kind, "seed": self.seed, "rain": asdict(self.rain)}
        if isinstance(self.rain, Rain):
            # With a depth map it is another in every pixel: that of the rain's extinction over the map's distance.
            entry |= {"transmission": self.rain.transmission} if self.depth is None else {"depth": self.depth}
        return entry | {"sha256": digest}


def write_manifest(
    out: Path, request: dict[str, Any], videos: Sequence[tuple[Made, list[Path]]], pool: Executor
) -> dict[str, Any]:
    """Hashes every file and writes SHA256SUMS, which `sha256sum -c` reads, and then the manifest.

    Args:
        out: the set.
        request: what was asked for.
        videos: each with its folders, its own last.
        pool: hashes a folder a process.

    Raises:
        OutputError: if a file cannot be written.
    """
    folders = [folder for _, of_one in videos for folder in of_one]
    hashes = dict(zip(folders, pool.map(hash_folder, folders), strict=True))
    lines = {folder: sums(folder.relative_to(out), hashes[folder]) for folder in folders}
    write_text(out / SUMS, "".join(line for folder in folders for line in lines[folder]))
    told = [
        made.told(len(lines[own[-1]]), hashlib.sha256("".join(lines[own[-1]]).encode()).hexdigest())
        for made, own in videos
    ]
    manifest = json.dumps({"request": request, "videos": told}, indent=1, ensure_ascii=False)
    write_text(out / MANIFEST, manifest + "\n")
    return read_manifest(out) or {}


def read_manifest(out: Path) -> dict[str, Any] | None:
    """The manifest of a finished set; None if it is not finished.

    Raises:
        OutputError: if it is damaged.
    """
    path = out / MANIFEST
    return read_object(path, "delete it, and the same command writes it again") if path.exists() else None


def read_object(path: Path, remedy: str) -> dict[str, Any]:
    """The object in a JSON file that was written by `data render`.

    Raises:
        OutputError: if there is none; it ends with `remedy`.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise OutputError(f"{path} cannot be read or is damaged; {remedy}")
    return content


def hash_folder(folder: Path) -> dict[str, str]:
    """SHA-256 of the frames of a folder, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in pictures(entries(folder))}


def sums(folder: Path, hashes: dict[str, str]) -> list[str]:
    """Lines as `sha256sum` writes them."""
    return [f"{digest}  {(folder / name).as_posix()}\n" for name, digest in hashes.items()]
