"""The two kinds of output: a video file by PyAV, a folder of images by Pillow."""

import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from einops import rearrange
from torch import Tensor

from raincheck.errors import OutputError
from raincheck.video.still import write_image

av.logging.set_level(None)  # FFmpeg's own complaints would stand beside our one sentence

# Encoders by preference with their settings: visually lossless. mpeg4 is part of every FFmpeg.
H264 = {"libx264": {"crf": "17", "preset": "medium"}, "mpeg4": {"qmin": "2", "qmax": "3"}}
ENCODERS: dict[str, dict[str, dict[str, str]]] = {
    "mp4": H264,
    "mov": H264,
    "matroska": H264,
    # AVI stores no presentation times, so frames must be stored in the order in which they are shown.
    "avi": {"libx264": {**H264["libx264"], "bf": "0"}, "mpeg4": H264["mpeg4"]},
    "webm": {"libvpx-vp9": {"crf": "18", "b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "4"}},
}
MPEG4_CLOCK = 2**16 - 1  # mpeg4 cannot count finer fractions of a second
# ISO/IEC 23091-2 codes for the colour matrix, primaries and transfer.
BT709, BT601 = 1, 6
HD_LINES = 720  # from here on players take untagged video for BT.709, below for BT.601


class FolderWriter:
    """Writes one image a frame.

    Args:
        folder: an existing empty folder.
        names: file names of the frames; None numbers them `00001.png`, `00002.png`, ...
        shown: what errors call the output.
    """

    def __init__(self, folder: Path, names: list[str] | None, shown: Path) -> None:
        self.folder, self.names, self.shown, self.done = folder, names, shown, 0

    def write(self, frame: Tensor) -> None:
        """Adds a frame, uint8 `(c, h, w)` RGB.

        Raises:
            OutputError: if it cannot be written.
        """
        name = f"{self.done + 1:05d}.png" if self.names is None else self.names[self.done]
        try:
            write_image(frame, self.folder / name)
        except OSError as error:
            raise cannot(self.shown, error) from None
        self.done += 1


class FileWriter:
    """Writes one video file.

    Height and width are kept whatever they are. H.264 with chroma at half resolution cannot have odd ones, so that
    odd videos keep their full chroma (yuv444p): no pixel is added or lost, but few browsers play them.

    Args:
        path: the file to write.
        container: FFmpeg's name of the container format.
        fps: frames per second.
        size: height and width in pixels.
        rotation: counter-clockwise degrees for the display matrix.
        shown: what errors call the output.

    Raises:
        OutputError: if the file cannot be created.
    """

    def __init__(
        self, path: Path, container: str, fps: Fraction, size: tuple[int, int], rotation: int, shown: Path
    ) -> None:
        self.shown, self.size, self.done = shown, size, 0
        self.matrix = BT709 if min(size) >= HD_LINES else BT601
        try:
            # Through a Python file a full disk raises at once; FFmpeg's own output can lose the last error.
            self.file = path.open("wb")
            self.container: OutputContainer = av.open(self.file, "w", format=container)
            self.track = self.add_track(container, fps)
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot(shown, error) from None
        if rotation:
            self.track.set_display_rotation(rotation)

    def add_track(self, container: str, fps: Fraction) -> VideoStream:
        """Chooses the encoder and tags the colours."""
        name = next((n for n in ENCODERS[container] if n in av.codecs_available), "mpeg4")
        if name == "mpeg4" and max(fps.numerator, fps.denominator) > MPEG4_CLOCK:
            fps = fps.limit_denominator(1001)
        track = cast(VideoStream, self.container.add_stream(name, rate=fps, options=ENCODERS[container][name]))
        odd = self.size[0] % 2 or self.size[1] % 2
        track.height, track.width = self.size
        track.pix_fmt = "yuv444p" if odd and name == "libx264" else "yuv420p"
        context = track.codec_context
        context.colorspace = context.color_primaries = context.color_trc = self.matrix
        context.color_range = ColorRange.MPEG
        self.rate = fps
        return track

    def write(self, frame: Tensor) -> None:
        """Adds a frame, uint8 `(c, h, w)` RGB.

        Raises:
            OutputError: if it cannot be encoded or written.
        """
        pixels = rearrange(frame, "c h w -> h w c").contiguous().numpy()
        picture = VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            format=self.track.pix_fmt,
            dst_colorspace=Colorspace.ITU709 if self.matrix == BT709 else Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
        )
        picture.pts, picture.time_base = self.done, 1 / self.rate
        self.mux(picture)
        self.done += 1

    def mux(self, picture: VideoFrame | None) -> None:
        """Encodes a picture, or with None what the encoder has held back.

        Raises:
            OutputError: if it cannot be encoded or written.
        """
        try:
            self.container.mux(self.track.encode(picture))
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot(self.shown, error) from None

    def finish(self) -> None:
        """Writes what is held back, and closes the file.

        Raises:
            OutputError: if that cannot be written.
        """
        self.mux(None)
        try:
            self.container.close()
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot(self.shown, error) from None

    def abandon(self) -> None:
        """Closes the file, whatever state it is in."""
        for close in (self.container.close, self.file.close):
            with suppress(OSError, av.FFmpegError, ValueError):  # an error is on its way to the user already
                close()


def cannot(output: Path, error: Exception) -> OutputError:
    """One sentence about a failed write."""
    reason = getattr(error, "strerror", None) or error
    return OutputError(f"cannot write {output}: {reason}; choose a writable place with free space")
