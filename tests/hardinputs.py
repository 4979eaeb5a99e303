"""Inputs that are odd but whole, and inputs that are broken, for whatever reads video. Nothing here uses raincheck."""

from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from tinyvideo import Frames, cut, noise, read_video, smooth, write_folder, write_video

Maker = Callable[[Path], Path]  # writes something into an empty folder, and says where


def variable_rate(folder: Path) -> Path:
    return write_video(folder / "a.mp4", noise(8), times=[0, 1, 2, 10, 11, 30, 31, 60])


def ten_bit(folder: Path) -> Path:
    return write_video(folder / "a.mp4", noise(6), pix_fmt="yuv420p10le")


def interlaced(folder: Path) -> Path:
    return write_video(folder / "a.mp4", noise(6), flags="+ilme+ildct", **{"x264-params": "tff=1"})


def colours(mode: str) -> Maker:
    """Frames of another colour mode than RGB."""

    def make(folder: Path) -> Path:
        (folder / "in").mkdir()
        for index, frame in enumerate(noise(5)):
            Image.fromarray(frame).convert(mode).save(folder / "in" / f"{index}.png")
        return folder / "in"

    return make


def thousands(folder: Path) -> Path:
    (folder / "in").mkdir()
    Image.fromarray(noise(1, 16, 16)[0]).save(folder / "in" / "0000.bmp")
    content = (folder / "in" / "0000.bmp").read_bytes()
    for index in range(1, 2000):
        (folder / "in" / f"{index:04d}.bmp").write_bytes(content)
    return folder / "in"


def odd_name(folder: Path) -> Path:
    return write_video(folder / "wörld ☂  100%d 'rain' .mp4", noise(5))


def odd_folder(folder: Path) -> Path:
    return write_folder(folder / "ü %03d  [2:4] ", noise(5), "frame ☂ {:03d}.png")


def linked_file(folder: Path) -> Path:
    (folder / "elsewhere").mkdir()
    write_video(folder / "elsewhere" / "a.mp4", noise(5))
    (folder / "link.mp4").symlink_to(folder / "elsewhere" / "a.mp4")
    return folder / "link.mp4"


def linked_folder(folder: Path) -> Path:
    """A link to a folder in which a frame is a link, and another link leads nowhere."""
    frames = write_folder(folder / "in", noise(5))
    (frames / "00003.png").rename(folder / "elsewhere.png")
    (frames / "00003.png").symlink_to(folder / "elsewhere.png")
    (frames / "00009.png").symlink_to(folder / "nowhere.png")
    (folder / "link").symlink_to(frames)
    return folder / "link"


def read_only(folder: Path) -> Path:
    frames = write_folder(folder / "in", noise(5))
    for path in frames.iterdir():
        path.chmod(0o400)
    frames.chmod(0o500)
    return frames


def system_files(folder: Path) -> Path:
    frames = write_folder(folder / "in", noise(5))
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini", "._00001.png", ".00002.png.swp", "notes.txt"):
        (frames / name).write_bytes(b"no image")
    (frames / "00009.png").mkdir()
    return frames


def large(folder: Path) -> Path:
    """Grey, because players take untagged colours of this size for BT.709's, and PyAV by itself does not."""
    frames = smooth(2, 2160, 3840)[..., :1].repeat(3, axis=-1)
    return write_video(folder / "a.mp4", frames, preset="ultrafast")


WHOLE: dict[str, Maker] = {
    "variable frame rate": variable_rate,
    "turned": lambda folder: write_video(folder / "a.mp4", noise(6), rotation=90),
    "upside down": lambda folder: write_video(folder / "a.mp4", noise(6), rotation=180),
    "10 bits": ten_bit,
    "odd size": lambda folder: write_video(folder / "a.mp4", noise(5, 33, 47), pix_fmt="yuv444p"),
    "odd size of frames": lambda folder: write_folder(folder / "in", noise(5, 33, 47)),
    "narrow": lambda folder: write_video(folder / "a.mp4", noise(6, 24, 24)),
    "grey video": lambda folder: write_video(folder / "a.mkv", noise(5), "ffv1", pix_fmt="gray"),
    "transparent video": lambda folder: write_video(folder / "a.mkv", noise(5), "ffv1", pix_fmt="bgra"),
    "grey frames": colours("L"),
    "transparent frames": colours("RGBA"),
    "frames with a palette": colours("P"),
    "interlaced": interlaced,
    "one frame": lambda folder: write_video(folder / "a.mp4", noise(1)),
    "one picture": lambda folder: write_folder(folder / "in", noise(1)),
    "thousands of files": thousands,
    "name": odd_name,
    "names": odd_folder,
    "linked file": linked_file,
    "linked folder": linked_folder,
    "read-only": read_only,
    "system files": system_files,
    "4K": large,
}
LARGE = {"4K"}
SMALL = [pytest.param(name, marks=pytest.mark.slow if name in LARGE else []) for name in WHOLE]  # and slow ones


def frames_of(path: Path, exact: bool = True) -> Iterator[Frames]:
    """What PyAV and Pillow make of a whole input, frame by frame `(h, w, c)`; `exact` as in `read_video`."""
    if path.is_dir():
        for file in sorted(path.iterdir()):
            if file.suffix in (".png", ".bmp") and not file.name.startswith(".") and file.is_file():
                yield np.array(Image.open(file).convert("RGB"))
    else:
        yield from read_video(path, exact)


def damaged(folder: Path) -> Path:
    path = write_video(folder / "a.mp4", noise(12), bf="0")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 6] = bytes(len(content) // 6)
    path.write_bytes(content)
    return path


def empty(name: str) -> Maker:
    """Zero bytes: a file, or one in a folder of frames."""

    def make(folder: Path) -> Path:
        if "/" in name:
            write_folder(folder / "in", noise(3))
        (folder / name).write_bytes(b"")
        return folder / name.partition("/")[0]

    return make


def bomb(folder: Path) -> Path:
    """Frames, one of which is a PNG whose header alone says 60000 x 60000."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + crc32(kind + body).to_bytes(4, "big")

    header = (60000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (write_folder(folder / "in", noise(3)) / "00002.png").write_bytes(content)
    return folder / "in"


def no_frames(folder: Path) -> Path:
    (folder / "in").mkdir()
    (folder / "in" / "Thumbs.db").touch()
    return folder / "in"


BROKEN: dict[str, tuple[Maker, str]] = {
    "corrupt middle": (damaged, r"a.mp4 is corrupt at frame [3-7] \(.*; copy or download the file again$"),
    "cut": (lambda folder: cut(write_video(folder / "a.mp4", noise(12)), 0.7), r"a.mp4 is truncated: it has \d+ bytes"),
    "zero bytes": (empty("a.mp4"), r"a.mp4 is empty \(0 bytes\); give a whole video file$"),
    "zero bytes among frames": (empty("in/00002.png"), r"00002.png is not an image; remove it or save it again$"),
    "60000 x 60000": (bomb, r"00002.png has more than 89 million pixels; give smaller frames$"),
    "no frames": (no_frames, r"in holds no frames: none of its 1 entries is an image; give a folder of"),
}
