"""Frames of a rendered set, written by whichever process has time: each file whole or not at all, and always the same.

Shares of streaks and veil are rounded to 16 bits before they are laid over the scene, so that the files which hold
them give back the rainy frame exactly: `rain.render.cover(clean, rain, streaks / 65535, transmission).rainy`, or of
drawn rain `rain.drawing.DrawnField(rain, size, seed).over(clean, streaks / 65535)`.
"""

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from raincheck.files import beside, replace_file
from raincheck.rain.drawing import DrawnField
from raincheck.rain.drawn import Drawn
from raincheck.rain.drops import Seed
from raincheck.rain.kinds import falling
from raincheck.rain.parameters import Rain
from raincheck.rain.render import Field, Shares, cover, distances
from raincheck.rain.sheets import SheetField
from raincheck.video.images.besides import SAVE_ARGUMENTS

STEPS = 65535  # of a share in a 16-bit file


@dataclass(frozen=True)
class Painting:
    """A video of the set, as one process needs to know it.

    Attributes:
        folder: where its frames belong; until the video is whole they are in its `hidden` twin.
        suffix: of their names, which chooses the format.
        rain: None for the clean video itself.
        seed: of the rain.
        sheets: folder of streak pictures that fall; None lets drops fall.
        streaks: where its streak layers belong, None for nowhere.
        veil: where its veils belong, None for nowhere.
    """

    folder: Path
    suffix: str
    rain: Rain | Drawn | None = None
    seed: Seed = 0
    sheets: Path | None = None
    streaks: Path | None = None
    veil: Path | None = None

    @property
    def folders(self) -> list[Path]:
        """All folders that it fills; its own is the last."""
        return [folder for folder in (self.streaks, self.veil, self.folder) if folder is not None]

    def files(self, start: int, count: int) -> list[Path]:
        """What frames `start` to `start + count - 1` are written to."""
        *layers, own = map(hidden, self.folders)
        numbers = range(start + 1, start + count + 1)
        return [file(layer, n, ".png") for layer in layers for n in numbers] + [
            file(own, n, self.suffix) for n in numbers
        ]


def hidden(folder: Path) -> Path:
    """Where the frames of a video are until it is whole."""
    return beside(folder, ".partial")


def file(folder: Path, number: int, suffix: str) -> Path:
    """The file of a frame, counted from 1."""
    return folder / f"{number:05d}{suffix}"


@lru_cache(maxsize=8)
def open_field(rain: Rain | Drawn, size: tuple[int, int], seed: Seed, sheets: Path | None) -> Field | DrawnField:
    """The rain of a video, which its parts share."""
    if sheets is None or isinstance(rain, Drawn):
        return falling(rain, size, seed)
    return SheetField(sheets, rain, size, seed)


def paint(painting: Painting, start: int, clean: NDArray[np.uint8], depth: Shares | None) -> int:
    """Writes frames `start`, `start + 1`, ... of a video.

    Args:
        painting: the video.
        start: index of the first frame.
        clean: uint8 `(t, c, h, w)`.
        depth: distances in m, `(h, w)` or `(t, h, w)`; None leaves them to the rain.

    Returns:
        The number of frames.

    Raises:
        InputError: if the depth map does not fit.
        OutputError: if a file cannot be written.
    """
    frames = torch.from_numpy(clean)
    if painting.rain is not None:
        frames, streaks, veil = rain_over(frames, painting, start, depth)
        for folder, layer in ((painting.streaks, streaks), (painting.veil, veil)):
            if folder is not None and layer is not None:
                for i, share in enumerate(layer):
                    write(file(hidden(folder), start + i + 1, ".png"), share)
    for i, frame in enumerate(frames):
        pixels = rearrange(frame, "c h w -> h w c").contiguous().numpy()
        write(file(hidden(painting.folder), start + i + 1, painting.suffix), pixels)
    return len(clean)


def rain_over(
    clean: Tensor, painting: Painting, start: int, depth: Shares | None
) -> tuple[Tensor, NDArray[np.uint16], NDArray[np.uint16] | None]:
    """Rainy frames, uint8 `(t, c, h, w)`, and shares of streaks and, with a depth map, of veil, uint16 `(t, h, w)`."""
    count, _, height, width = clean.shape
    assert painting.rain is not None
    field = open_field(painting.rain, (height, width), painting.seed, painting.sheets)
    if isinstance(field, DrawnField):
        drawn = rounded(field.frames(start, count))
        return field.over(clean, shares(drawn)), drawn, None
    scene = None if depth is None else distances(torch.from_numpy(depth), (count, height, width))
    rain, streaks = field.rain, rounded(field.frames(start, count, scene))
    if scene is None:
        return cover(clean, rain, shares(streaks), rain.transmission).rainy, streaks, None
    veil = rounded(rain.passing(scene))
    transmission = rearrange(torch.from_numpy(shares(veil)), "t h w -> t 1 h w")
    return cover(clean, rain, shares(streaks), transmission).rainy, streaks, veil


def rounded(share: Shares) -> NDArray[np.uint16]:
    """Shares in [0, 1] as 16 bits."""
    steps: NDArray[np.uint16] = np.rint(share * np.float32(STEPS)).astype(np.uint16)
    return steps


def shares(steps: NDArray[np.uint16]) -> Shares:
    """Shares in [0, 1] from 16 bits."""
    return steps.astype(np.float32) / np.float32(STEPS)


def write(path: Path, pixels: NDArray[Any]) -> None:
    """Writes an image: uint8 `(h, w, 3)` or uint16 `(h, w)`.

    Raises:
        OutputError: if it cannot be written.
    """
    buffer = BytesIO()
    kind = Image.registered_extensions()[path.suffix]
    Image.fromarray(pixels).save(buffer, kind, **SAVE_ARGUMENTS[path.suffix])
    replace_file(path, lambda partial: partial.write_bytes(buffer.getvalue()))
