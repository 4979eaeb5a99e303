"""The clean clips that a set is rendered from: where they are, what they are called, and their frames in one size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from raincheck.datasets.folder import VIDEO_SUFFIXES, find_videos
from raincheck.errors import ConfigError, InputError
from raincheck.video.display import upright, upright_size
from raincheck.video.images.listing import entries, pictures
from raincheck.video.images.still import common_size, read_image
from raincheck.video.reading.decode import open_stream
from raincheck.video.stream import Stream

Size = tuple[int, int]


@dataclass(frozen=True)
class Clip:
    """A clean clip, and what of it is wanted.

    Attributes:
        name: what its videos are called.
        path: a video file or a folder of frames.
        most: at most so many frames; None keeps all.
        within: at most this height and width, pixels; None keeps them.
        fps: frames a second of a folder of frames; None leaves it to the rain.
        depth: a depth map: a .npy file of distances in m, `(h, w)` or `(t, h, w)`; None is none.
    """

    name: str
    path: Path
    most: int | None = None
    within: Size | None = None
    fps: Fraction | None = None
    depth: Path | None = None

    def look(self) -> tuple[Size, Fraction | None, int | None]:
        """Height and width of its frames as they are wanted, frames a second if known, about how many if known.

        Raises:
            InputError: if it cannot be read.
        """
        stream = open_stream(self.path)
        shown, _ = as_shown(stream)
        size = shown if self.within is None else fitted(shown, self.within)[1]
        known = [count for count in (stream.length, self.most) if count is not None]
        return size, self.fps if stream.names is not None else stream.fps, min(known, default=None)

    def parts(self, frames: int) -> Iterator[tuple[int, Tensor]]:
        """The clip in parts of at most `frames` frames: the first one's index, and uint8 `(t, c, h, w)`, upright.

        Raises:
            InputError: at the frame that cannot be read.
        """
        _, shown = as_shown(open_stream(self.path))
        wanted, done = islice(shown, self.most), 0
        while part := list(islice(wanted, frames)):
            whole = torch.stack(part)
            yield done, whole if self.within is None else fit(whole, self.within)
            done += len(part)

    def distances(self, start: int, count: int, size: Size) -> Tensor | None:
        """The depth map of `count` frames from `start`, float32 `(h, w)` or `(t, h, w)`; None if there is none.

        Raises:
            InputError: if the file cannot be read or has too few frames.
        """
        if self.depth is None:
            return None
        try:
            whole: NDArray[np.float32] = np.load(self.depth, mmap_mode="r", allow_pickle=False)
            part = np.array(whole[start : start + count] if whole.ndim == 3 else whole, dtype=np.float32)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{self.depth} is not a depth map ({error}); save distances in m by numpy.save") from None
        if whole.ndim not in (2, 3) or (whole.ndim == 3 and len(part) < count):
            raise InputError(f"{self.depth} is {whole.shape}; a depth map is (h, w), or (t, h, w) with every frame")
        if self.within is None or part.shape[-2:] == size:
            return torch.from_numpy(part)
        maps = [Image.fromarray(one) for one in part.reshape(-1, *part.shape[-2:])]
        resized = np.stack([np.asarray(resize(one, self.within, Image.Resampling.NEAREST)) for one in maps])
        return torch.from_numpy(resized if whole.ndim == 3 else resized[0])


def as_shown(stream: Stream) -> tuple[Size, Iterator[Tensor]]:
    """Height and width and the frames `(c, h, w)` as players and viewers show them.

    Rain falls down in the scene, which many phones and cameras store lying on its side.

    Raises:
        InputError: if images of a folder differ in size; at the frame that cannot be read.
    """
    if (files := stream.files()) is not None:
        return common_size(files, turned=True), (read_image(path, turned=True) for path in files)
    display = stream.display
    return upright_size(stream.size, display), (upright(frame, display) for frame in stream.frames())


def fitted(size: Size, within: Size) -> tuple[Size, Size]:
    """The height and width to which frames are scaled to cover `within`, and those that are left of them.

    Frames are never enlarged.
    """
    scale = min(1.0, max(within[0] / size[0], within[1] / size[1]))
    high, wide = (max(1, round(side * scale)) for side in size)
    return (high, wide), (min(high, within[0]), min(wide, within[1]))


def resize(image: Image.Image, within: Size, resampling: Image.Resampling = Image.Resampling.BICUBIC) -> Image.Image:
    """Scales an image down to cover `within`, and cuts it to its middle."""
    (high, wide), (height, width) = fitted((image.height, image.width), within)
    scaled = image if (high, wide) == (image.height, image.width) else image.resize((wide, high), resampling)
    top, left = (high - height) // 2, (wide - width) // 2
    return scaled.crop((left, top, left + width, top + height))


def fit(frames: Tensor, within: Size) -> Tensor:
    """Frames uint8 `(t, c, h, w)` in the size that `fitted` says."""
    if frames.shape[-2] <= within[0] and frames.shape[-1] <= within[1]:
        return frames
    images = [Image.fromarray(frame) for frame in rearrange(frames, "t c h w -> t h w c").contiguous().numpy()]
    resized = np.stack([np.asarray(resize(image, within)) for image in images])
    return rearrange(torch.from_numpy(resized), "t h w c -> t c h w").contiguous()


def find_clips(inputs: Sequence[Path]) -> dict[str, Path]:
    """Clean clips by name: each input is a video file, a folder of frames, or a folder that holds such.

    A clip further down is called after its folders too, `street_01` for `street/01`.

    Raises:
        InputError: if an input is not there or holds no video.
        ConfigError: if two clips have one name.
    """
    found: dict[str, Path] = {}
    for given in inputs:
        for name, path in clips_in(given):
            flat = name.replace("/", "_")
            if flat in found:
                raise ConfigError(f"two clips are called {flat}: {found[flat]} and {path}; rename one")
            found[flat] = path
    return dict(sorted(found.items()))


def clips_in(given: Path) -> list[tuple[str, Path]]:
    """The clips of one input, with their names.

    Raises:
        InputError: if it is not there or holds no video.
    """
    if not given.is_dir():
        if not given.is_file():
            raise InputError(f"there are no clean clips at {given}; give a video file or a folder")
        return [(given.stem, given)]
    if pictures(entries(given)):
        return [(given.resolve().name, given)]
    found = list(find_videos(given).items())
    # Of a file and a folder, or files, of one name that finds one only.
    beside = [(name, given / f"{name}{suffix}", path) for name, path in found for suffix in sorted(VIDEO_SUFFIXES)]
    return found + [(name, other) for name, other, path in beside if other != path and other.is_file()]


def split_names(names: Sequence[str], test: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The training and the test clips; by default the last fifth is for tests, and a single clip for training.

    Raises:
        ConfigError: if a test clip does not exist.
    """
    if test is None:
        test = list(names)[len(names) - max(1, len(names) // 5) :] if len(names) > 1 else []
    if unknown := [name for name in test if name not in names]:
        raise ConfigError(f"no clip is called {unknown[0]!r}; choose test clips among {', '.join(names)}")
    return [name for name in names if name not in test], list(test)
