"""An output that is one video file, written by PyAV."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import torch
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from einops import rearrange
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.video.colour import DEEP, EXACT, Colour, colour_of_size
from raincheck.video.display import Matrix
from raincheck.video.writing.companions import Companions
from raincheck.video.writing.encoders import Encoding, choose_encoder
from raincheck.video.writing.output import cannot

av.logging.set_level(None)  # FFmpeg's own complaints would stand beside our one sentence


@dataclass(frozen=True)
class Look:
    """What a video file says about its frames.

    Attributes:
        fps: average frames per second.
        size: height and width in pixels.
        display: the display matrix; empty where frames are shown as they are.
        colour: how RGB frames are stored and tagged; None is usual for the size.
        aspect: width of a pixel divided by its height; None says nothing.
        tick: seconds of which the times of frames are multiples; None where they follow from the rate.
    """

    fps: Fraction
    size: tuple[int, int]
    display: Matrix = ()
    colour: Colour | None = None
    aspect: Fraction | None = None
    tick: Fraction | None = None


class FileWriter:
    """Writes one video file.

    Height and width are kept whatever they are. H.264 with chroma at half resolution cannot have odd ones, so that
    odd videos keep their full chroma (yuv444p): no pixel is added or lost, but few browsers play them.

    AVI stores no time stamps: there, a frame is shown at the nearest multiple of the stated rate's period that is free,
    and FFmpeg fills the gaps with empty packets.

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
        self.colour = look.colour or colour_of_size(look.size)
        self.encoder = choose_encoder(container, look.size, encoding)
        self.stamped = container != "avi"
        self.rate, self.tick = self.encoder.clock(look.fps, look.tick if self.stamped else None)
        if not self.stamped:
            self.tick = 1 / self.rate
        self.start, self.last = Fraction(0), -1  # seconds that count as 0; ticks of the frame before
        self.end, self.lasting = Fraction(0), 0  # seconds until which that one is shown; ticks that it is
        try:
            # Through a Python file a full disk raises at once; FFmpeg's own output can lose the last error.
            self.file = path.open("wb")
            self.container: OutputContainer = av.open(self.file, "w", format=container)
            self.track = self.add_track()
        except (OSError, av.FFmpegError) as error:
            raise cannot(shown, error) from None
        except ValueError as error:
            raise ConfigError(f"{shown} cannot hold {self.encoder.name} ({error}); use another --codec") from None
        self.start_encoder()
        if companions is not None:
            companions.join(self.container, container)

    def add_track(self) -> VideoStream:
        """Opens the track of pictures, and tags its colours, shape and rotation."""
        name, options = self.encoder.name, self.encoder.options
        track = cast(VideoStream, self.container.add_stream(name, rate=self.rate, options=options))
        track.height, track.width = self.look.size
        track.pix_fmt = self.encoder.pixel_format
        context = track.codec_context
        context.time_base = self.tick
        if self.stamped:
            context.flags |= Flags.frame_duration  # or the last frame would not last as long as it should
        context.color_primaries, context.color_trc = self.colour.primaries, self.colour.transfer
        if not self.encoder.rgb:
            context.colorspace, context.color_range = self.colour.matrix, self.colour.range
        if self.look.aspect is not None:
            context.sample_aspect_ratio = self.look.aspect
        if name == "libx265" and self.container.format.name in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # Apple's players ignore the usual one
        if self.look.display:
            track.set_display_matrix(self.look.display)
        return track

    def start_encoder(self) -> None:
        """Starts it before the first frame, so that its own complaints are not taken for the disk's.

        Raises:
            ConfigError: if it does not start: for want of a GPU, or of sense in its settings.
        """
        try:
            self.track.codec_context.open()
        except (av.FFmpegError, ValueError) as error:
            self.abandon()
            name, (high, wide) = self.encoder.name, self.look.size
            raise ConfigError(
                f"{name} does not start for {wide}x{high} in {self.encoder.pixel_format} with the settings "
                f"{self.encoder.options} ({getattr(error, 'strerror', None) or error}); use another --codec, --crf or "
                "--pixel-format"
            ) from None

    def write(self, frame: Tensor, time: Fraction | None = None, lasts: Fraction | None = None) -> None:
        """Adds a frame, uint8 or uint16 `(c, h, w)` RGB, shown at `time` for `lasts` seconds; None is as the rate says.

        Raises:
            OutputError: if it cannot be encoded or written.
            InputError: if sound that goes with it cannot be read.
        """
        time = self.done / self.look.fps if time is None else time
        if self.done == 0:
            self.start = time if self.companions is None else self.companions.begin(time)
        picture = self.stored(frame)
        picture.pts = max(round((time - self.start) / self.tick), self.last + 1)
        picture.time_base, picture.duration = self.tick, round((lasts or 1 / self.rate) / self.tick)
        self.last, self.end, self.lasting = picture.pts, time + (lasts or 1 / self.look.fps), picture.duration
        self.mux(picture)
        if self.companions is not None:
            self.copy(self.companions.packets(time))
        self.done += 1

    def stored(self, frame: Tensor) -> VideoFrame:
        """The frame in the encoder's pixel format."""
        pixels = rearrange(frame, "c h w -> h w c").contiguous().numpy()
        kind, flags = ("rgb24", EXACT) if frame.dtype == torch.uint8 else ("rgb48le", DEEP)
        picture = VideoFrame.from_ndarray(pixels, format=kind)
        if self.encoder.rgb:
            return picture.reformat(format=self.track.pix_fmt)
        return picture.reformat(
            format=self.track.pix_fmt,
            dst_colorspace=self.colour.converter,
            dst_color_range=self.colour.range,
            interpolation=flags,
        )

    def copy(self, packets: "Iterator[Packet[Stream]]") -> None:
        """Copies what goes with the pictures.

        Raises:
            OutputError: if it cannot be written.
            InputError: if it cannot be read.
        """
        for packet in packets:
            try:
                self.container.mux(packet)
            except (OSError, av.FFmpegError, ValueError) as error:
                raise cannot(self.shown, error) from None

    def mux(self, picture: VideoFrame | None) -> None:
        """Encodes a picture, or with None what the encoder has held back.

        Raises:
            OutputError: if it cannot be encoded or written.
        """
        try:
            self.container.start_encoding()  # before sound comes, which asks how long its ticks are
            packets = self.track.encode(picture)
            if picture is None and packets and self.container.format.name in ("mp4", "mov"):
                # There a track ends when its last packet has, which need not be that of the last picture.
                packets[-1].duration = self.lasting
            self.container.mux(packets)
        except (OSError, av.FFmpegError, ValueError) as error:
            raise cannot(self.shown, error) from None

    def finish(self) -> None:
        """Writes what is held back, and closes the file.

        Raises:
            OutputError: if that cannot be written.
            InputError: if sound cannot be read.
        """
        self.mux(None)
        if self.companions is not None and self.done:
            self.copy(self.companions.rest(self.end))
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
