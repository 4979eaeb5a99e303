"""Tiny videos for tests, written by PyAV and Pillow directly: nothing here uses raincheck."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation
from PIL import ExifTags, Image

Frames = npt.NDArray[np.uint8]


def noise(count: int = 8, height: int = 48, width: int = 64, seed: int = 0) -> Frames:
    """`count` unrelated frames `(t, h, w, c)`: no two look alike, so a swapped or lost frame is seen."""
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def smooth(count: int = 8, height: int = 48, width: int = 64) -> Frames:
    """Frames `(t, h, w, c)` of slowly varying colours that brighten with time: a codec keeps them well."""
    y, x = np.mgrid[:height, :width]
    frame = np.stack([60 + 80 * x / width, 60 + 80 * y / height, 140 - 80 * x / width], axis=-1)
    return np.stack([frame + 60 * t / count for t in range(count)]).round().astype(np.uint8)


def write_video(
    path: Path,
    frames: Frames,
    codec: str = "libx264",
    fps: Fraction | int = 25,
    pix_fmt: str = "yuv420p",
    times: Sequence[int] | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    aspect: Fraction | None = None,
    container: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Writes frames `(t, h, w, c)`; `times` are presentation times in units of 1/fps, for a variable frame rate."""
    rate = Fraction(fps)
    with av.open(str(path), "w", options=container or {}) as file:
        file.metadata.update(tags or {})
        track: Any = file.add_stream(codec, rate=rate, options=options)
        track.height, track.width, track.pix_fmt = frames.shape[1], frames.shape[2], pix_fmt
        if aspect is not None:
            track.codec_context.sample_aspect_ratio = aspect
        if rotation or mirrored:
            track.set_display_rotation(rotation, hflip=mirrored)
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = times[index] if times else index, 1 / rate
            file.mux(track.encode(frame))
        file.mux(track.encode())
    return path


def write_audio(path: Path) -> Path:
    """Writes a tenth of a second of silence, without pictures."""
    with av.open(str(path), "w") as file:
        track: Any = file.add_stream("aac", rate=8000)
        for index in range(4):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, 1024 * index
            file.mux(track.encode(frame))
        file.mux(track.encode())
    return path


def write_folder(folder: Path, frames: Frames, pattern: str = "{:05d}.png") -> Path:
    """Writes frames `(t, h, w, c)` as images numbered from 1."""
    folder.mkdir()
    for index, pixels in enumerate(frames, start=1):
        Image.fromarray(pixels).save(folder / pattern.format(index))
    return folder


# What each EXIF orientation says lies where, in a picture that is shown as `whole`, `(h, w, c)` (EXIF 2.3, 4.6.4).
STORED = {
    1: lambda whole: whole,
    2: lambda whole: whole[:, ::-1],
    3: lambda whole: whole[::-1, ::-1],
    4: lambda whole: whole[::-1],
    5: lambda whole: whole.swapaxes(0, 1),
    6: lambda whole: whole.swapaxes(0, 1)[::-1],
    7: lambda whole: whole[::-1, ::-1].swapaxes(0, 1),
    8: lambda whole: whole.swapaxes(0, 1)[:, ::-1],
}


def write_photographs(folder: Path, frames: Frames, orientation: int, suffix: str = ".png") -> Path:
    """Writes frames `(t, h, w, c)` as a camera does that was held so: turned, with a tag that says how."""
    folder.mkdir(parents=True)
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    for index, whole in enumerate(frames, start=1):
        stored = np.ascontiguousarray(STORED[orientation](whole))
        Image.fromarray(stored).save(folder / f"{index:05d}{suffix}", exif=tags, lossless=True)
    return folder


def read_video(path: Path, exact: bool = True) -> Frames:
    """All frames `(t, h, w, c)` as PyAV decodes them; without `exact`, by its usual flags, a grey level too dark."""
    flags = Interpolation.BILINEAR | (Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT if exact else 0)
    with av.open(str(path)) as file:
        frames = [frame.reformat(format="rgb24", interpolation=flags) for frame in file.decode(video=0)]
        return np.stack([frame.to_ndarray() for frame in frames])


def read_folder(folder: Path) -> Frames:
    """All images `(t, h, w, c)` in the order of their names."""
    return np.stack([np.array(Image.open(path)) for path in sorted(folder.iterdir())])


def cut(path: Path, share: float) -> Path:
    """Keeps the first `share` of a file's bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def listing(folder: Path) -> list[str]:
    """Sorted names of everything in a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir())
