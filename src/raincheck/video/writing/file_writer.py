"""An output that is one video file, written by PyAV."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.video.writing.companions import Companions
from raincheck.video.writing.encoders import Encoding, choose_encoder
from raincheck.video.writing.look import Look
from raincheck.video.writing.output import cannot
from raincheck.video.writing.pictures import Pictures

av.logging.set_level(None)  # FFmpeg's own complaints would stand beside our one sentence


class FileWriter:
    """Writes one video file.

    Height and width are kept whatever they are. H.264 with chroma at half resolution cannot have odd ones, so that
    odd videos keep their full chroma (yuv444p): no pixel is added or lost, but few browsers play them.

    Args:
        path: the file to write.
        container: FFmpeg's name of the container format.
        look: what it says about its frames.
        encoding: what the user wants of it.
        companions: sound and other tracks to copy into it.
        shown: what errors call the output.

    Raises:
        OutputError: if the file cannot be created.
        ConfigError: if there is no encoder for what is wanted, or it does not start.
    """

    def __init__(
        self, path: Path, container: str, look: Look, encoding: Encoding, companions: Companions | None, shown: Path
    ) -> None:
        self.shown, self.look, self.companions, self.done = shown, look, companions, 0
        self.start, self.end = Fraction(0), Fraction(0)  # seconds that count as 0; until which the last frame is shown
        encoder = choose_encoder(container, look.size, encoding)
        try:
            # Through a Python file a full disk raises at once; FFmpeg's own output can lose the last error.
            self.file = path.open("wb")
            self.container: OutputContainer = av.open(self.file, "w", format=container)
            self.pictures = Pictures(self.container, encoder, look)
        except (OSError, av.FFmpegError) as error:
            raise cannot(shown, error) from None
        except ValueError as error:
            raise ConfigError(f"{shown} cannot hold {encoder.name} ({error}); use another --codec") from None
        try:
            self.pictures.start()
        except ConfigError:
            self.abandon()
            raise
        if companions is not None:
            companions.join(self.container, container)

    def write(self, frame: Tensor, time: Fraction | None = None, lasts: Fraction | None = None) -> None:
        """Adds a frame, uint8 or uint16 `(c, h, w)` RGB, shown at `time` for `lasts` seconds; None is as the rate says.

        Raises:
            OutputError: if it cannot be encoded or written.
            InputError: if sound that goes with it cannot be read.
        """
        time = self.done / self.look.fps if time is None else time
        if self.done == 0:
            self.start = time if self.companions is None else self.companions.begin(time)
        self.end = time + (lasts or 1 / self.look.fps)
        at, lasting = time - self.start, lasts or 1 / self.pictures.rate
        self.mux_pictures(lambda: self.pictures.encoded(frame, at, lasting))
        if self.companions is not None:
            self.copy(self.companions, self.companions.packets(time))
        self.done += 1

    def mux_pictures(self, encode: "Callable[[], list[Packet[VideoStream]]]") -> None:
        """Writes the packets of pictures that are ready.

        Raises:
            OutputError: if they cannot be encoded or written.
        """
        try:
            self.container.start_encoding()  # before sound comes, which asks how long its ticks are
            self.container.mux(encode())
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot(self.shown, error) from None

    def copy(self, companions: Companions, packets: "Iterable[Packet[Stream]]") -> None:
        """Copies what goes with the pictures, but for packets that the container does not take because of their bytes.

        Raises:
            OutputError: if it cannot be written.
            InputError: if it cannot be read.
        """
        for packet in packets:
            try:
                self.container.mux(packet)
            except av.InvalidDataError:
                companions.tell_damaged()
            except (OSError, av.FFmpegError, ValueError) as error:
                raise cannot(self.shown, error) from None

    def finish(self) -> None:
        """Writes what is held back, and closes the file.

        Raises:
            OutputError: if that cannot be written.
            InputError: if sound cannot be read.
        """
        self.mux_pictures(self.pictures.rest)
        if self.companions is not None and self.done:
            self.copy(self.companions, self.companions.rest(self.end))
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
