"""Clean video with random access, for training: `Footage` as datasets/base.py defines it."""

from pathlib import Path

import torch
from torch import Tensor

from raincheck.errors import InputError
from raincheck.video.access.readers import open_reader
from raincheck.video.display import display_of
from raincheck.video.images.listing import frame_files
from raincheck.video.images.still import common_size, read_image
from raincheck.video.reading.container import decoded


class VideoFile:
    """A video file, or a part of it such as one shot.

    Args:
        path: the video file.
        start: first frame of the part, as in a slice; negative counts from the end.
        stop: the frame after the part's last, as in a slice.

    Attributes:
        display: how its frames want to be shown; they are read as they are stored.

    Raises:
        InputError: if it is no readable video, or the part is empty.
    """

    def __init__(self, path: str | Path, start: int | None = None, stop: int | None = None) -> None:
        self.path = Path(path)
        self.name = self.path.stem if start is None and stop is None else f"{self.path.stem}[{start or 0}:{stop or ''}]"
        if not self.path.is_file():
            raise InputError(f"there is no video at {self.path}; give a video file")
        # Decoding once finds every frame's time, and a damaged file before training begins.
        frames = [(f.pts, (f.height, f.width), f.key_frame, display_of(f)) for f in decoded(self.path)]
        self.times, self._size, self.display = [pts for pts, *_ in frames], frames[0][1], frames[0][3]
        if any(size != self._size for _, size, *_ in frames):
            raise InputError(f"{self.path} has frames of different sizes; split it where the size changes")
        self.part = part_of(len(self.times), start, stop, self.path)
        last_key = max((i for i, (_, _, key, _) in enumerate(frames) if key), default=0)
        self.reader = open_reader(self.path, self.times, last_key)

    def __len__(self) -> int:
        return len(self.part)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels, as stored: a display rotation is not applied."""
        return self._size

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1` of the part as uint8 `(t, c, h, w)`.

        Raises:
            InputError: if they reach outside the part, or the file has changed.
        """
        check_inside(self.name, len(self), start, count)
        return self.reader.read(self.part[start], count)


class FrameFiles:
    """Images in order, as a video.

    Args:
        name: what the video is called.
        files: one image a frame.
        size: height and width that every frame is cut to, from its top left corner; None if all have one size.
        turned: turn images as viewers show them; otherwise they are read as they are stored.

    Raises:
        InputError: if no size is given and sizes differ.
    """

    def __init__(self, name: str, files: list[Path], size: tuple[int, int] | None = None, turned: bool = False) -> None:
        self.name, self.files, self.turned = name, files, turned
        self._size = common_size(files, turned) if size is None else size

    def __len__(self) -> int:
        return len(self.files)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self._size

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1` as uint8 `(t, c, h, w)`.

        Raises:
            InputError: if they reach outside the video, or one is unreadable.
        """
        check_inside(self.name, len(self), start, count)
        height, width = self.size
        files = self.files[start : start + count]
        return torch.stack([read_image(path, self.turned)[:, :height, :width] for path in files])


class FrameFolder(FrameFiles):
    """A folder of images, or a part of it.

    Args:
        path: the folder.
        start: first frame of the part, as in a slice; negative counts from the end.
        stop: the frame after the part's last, as in a slice.
        turned: as `FrameFiles`.

    Raises:
        InputError: if there are no images, sizes differ, or the part is empty.
    """

    def __init__(
        self, path: str | Path, start: int | None = None, stop: int | None = None, turned: bool = False
    ) -> None:
        folder = Path(path)
        files = frame_files(folder)
        part = part_of(len(files), start, stop, folder)
        name = folder.name if start is None and stop is None else f"{folder.name}[{start or 0}:{stop or ''}]"
        super().__init__(name, files[part.start : part.stop], turned=turned)


def open_footage(
    path: str | Path, start: int | None = None, stop: int | None = None, turned: bool = False
) -> VideoFile | FrameFolder:
    """Opens a video file or a folder of images for random access; `start` and `stop` cut a part out of it.

    `turned` images are those of `FrameFiles`; a video file is read as it is stored, and has its `display`.

    Raises:
        InputError: as `VideoFile` and `FrameFolder`.
    """
    return FrameFolder(path, start, stop, turned) if Path(path).is_dir() else VideoFile(path, start, stop)


def part_of(length: int, start: int | None, stop: int | None, path: Path) -> range:
    """The frames of a slice.

    Raises:
        InputError: if there are none.
    """
    part = range(*slice(start, stop).indices(length))
    if not part:
        raise InputError(
            f"{path} has {length} frames, none of them in [{start or 0}:{stop or ''}]; choose another part"
        )
    return part


def check_inside(name: str, length: int, start: int, count: int) -> None:
    """Refuses frames outside `[0, length)`.

    Raises:
        InputError: naming them.
    """
    if start < 0 or count < 1 or start + count > length:
        raise InputError(f"{name} has {length} frames, so frames {start} to {start + count - 1} cannot be read from it")
