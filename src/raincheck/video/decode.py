"""Opening video: `open_stream` reads it once in order, `open_footage` (footage.py) at random positions."""

from pathlib import Path

from raincheck.errors import InputError
from raincheck.video.container import open_video
from raincheck.video.footage import FrameFolder, VideoFile, open_footage
from raincheck.video.still import open_folder
from raincheck.video.stream import Stream

__all__ = ["FrameFolder", "Stream", "VideoFile", "open_footage", "open_stream"]


def open_stream(path: str | Path) -> Stream:
    """Opens a video file or a folder of images for reading once, in order, in constant memory.

    Args:
        path: a video file that FFmpeg can read, or a folder of frames in natural order of their names.

    Raises:
        InputError: if there is nothing there, no video, no pictures, a truncated file, or frames of different sizes.
    """
    path = Path(path)
    if path.is_dir():
        return open_folder(path)
    if not path.is_file():
        raise InputError(f"there is no video at {path}; give a video file or a folder of frames")
    return open_video(path)
