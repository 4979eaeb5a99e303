"""Opening video: `open_stream` reads it once in order, `open_footage` (footage.py) at random positions."""

from fractions import Fraction
from pathlib import Path

from raincheck.errors import InputError
from raincheck.video.container import open_video
from raincheck.video.footage import FrameFolder, VideoFile, open_footage
from raincheck.video.still import SUFFIXES, images_stream, open_folder
from raincheck.video.stream import FOLDER_RATE, Stream

__all__ = ["FrameFolder", "Stream", "VideoFile", "open_footage", "open_stream"]


def open_stream(path: str | Path, fps: Fraction = FOLDER_RATE) -> Stream:
    """Opens a video file, a folder of images or one image for reading once, in order, in constant memory.

    Args:
        path: a video file that FFmpeg can read, a folder of frames in natural order of their names, or an image.
        fps: frames per second of images.

    Raises:
        InputError: if there is nothing there, no video, no pictures, a truncated file, or frames of different sizes.
    """
    path = Path(path)
    if path.is_dir():
        return open_folder(path, fps)
    if not path.is_file():
        raise InputError(f"there is no video at {path}; give a video file or a folder of frames")
    if path.suffix.lower() in SUFFIXES:
        return images_stream(path, [path], fps)
    return open_video(path)
