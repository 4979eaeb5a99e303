"""Frames for fake data sets: seeded noise, written by Pillow and PyAV directly. Nothing here uses raincheck."""

import shutil
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from tinyvideo import write_video

Size = tuple[int, int]
SIZE = (16, 24)  # height and width in pixels


def pixels(path: Path, size: Size, count: int = 1) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Noise `(count, h, w, 3)` in blocks, a function of the last four parts of a path: no two files are alike."""
    seed = zlib.crc32("/".join(path.parts[-4:]).encode())
    block = max(1, size[0] // 32)
    small = (count, -(-size[0] // block), -(-size[1] // block), 3)
    noise = np.random.default_rng(seed).integers(0, 256, small, dtype=np.uint8)
    return noise.repeat(block, axis=1).repeat(block, axis=2)[:, : size[0], : size[1]]


def write_frames(folder: Path, names: Iterable[str], size: Size = SIZE) -> None:
    """Writes an image for each name, and the litter that public copies have."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(pixels(folder / name, size)[0]).save(folder / name)
    (folder / "Thumbs.db").write_bytes(b"not an image")


def write_clip(path: Path, frames: int, size: Size = (48, 64)) -> None:
    """Writes a video file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, pixels(path, size, frames))


def remove(*folders: Path) -> None:
    """Deletes what an earlier call has written."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def write_form_a(root: Path, rain: str, split: str, clips: int, frames: int) -> None:
    """A split of RainSynLight25 or RainSynComplex25: rainy and clean frames in one folder, grey ones among them."""
    part = root / f"frames_{rain}_{split}_JPEG"
    remove(part)
    for clip in map(str, range(1, clips + 1)):
        for kind in ("rfc", "gtc", "rf", "gt"):  # the last two are grey, and not for scores
            wide = kind == "gtc" and clip == "1"  # as some clean frames are published
            size = (SIZE[0], SIZE[1] + 1) if wide else SIZE
            write_frames(part / clip, [f"{kind}-{n}.jpg" for n in range(1, frames + 1)], size)


def write_form_b(root: Path, rain: str, split: str, clips: int, frames: int) -> None:
    """A split of RainSynLight25 or RainSynComplex25 in its other form."""
    part = root / f"video_rain_{rain}" / split
    remove(part)
    for clip in map(str, range(1, clips + 1)):
        for kind in ("input", "processed"):
            write_frames(part / kind / clip, [f"{n}.png" for n in range(1, frames + 1)])
