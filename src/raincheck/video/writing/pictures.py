"""The track of pictures of a video file that is written: frames in, packets out."""

from fractions import Fraction
from typing import cast

import av
import torch
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from einops import rearrange
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.video.colour import DEEP, EXACT, colour_of_size
from raincheck.video.writing.encoders import Encoder
from raincheck.video.writing.look import Look


class Pictures:
    """Frames in the encoder's pixel format, at their times, with their colours, shape and rotation tagged.

    AVI stores no time stamps: there, a frame is shown at the nearest multiple of the stated rate's period that is free,
    and FFmpeg fills the gaps with empty packets.

    Args:
        container: the file, not begun yet.
        encoder: what encodes them.
        look: what the file says about them.

    Raises:
        ValueError: if the container cannot hold what the encoder makes.
    """

    def __init__(self, container: OutputContainer, encoder: Encoder, look: Look) -> None:
        self.encoder, self.look = encoder, look
        self.kind = container.format.name
        self.stamped = self.kind != "avi"
        self.colour = look.colour or colour_of_size(look.size)
        self.rate, tick = encoder.clock(look.fps, look.tick if self.stamped else None)
        self.tick = tick if self.stamped else 1 / self.rate
        self.last = -1  # ticks of the frame before
        self.lasting = 0  # ticks that it is shown
        self.even = True  # whether all were shown as long as the rate says
        self.track = cast(VideoStream, container.add_stream(encoder.name, rate=self.rate, options=encoder.options))
        self.tag()

    def tag(self) -> None:
        """Says what the track is like."""
        track, context, name = self.track, self.track.codec_context, self.encoder.name
        track.height, track.width = self.look.size
        track.pix_fmt = self.encoder.pixel_format
        context.time_base = self.tick
        if self.stamped:
            context.flags |= Flags.frame_duration  # or the last frame would not last as long as it should
        context.color_primaries, context.color_trc = self.colour.primaries, self.colour.transfer
        if not self.encoder.rgb:
            context.colorspace, context.color_range = self.colour.matrix, self.colour.range
        if self.look.aspect is not None:
            context.sample_aspect_ratio = self.look.aspect
        if name == "libx265" and self.kind in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # Apple's players ignore the usual one
        if self.look.display:
            track.set_display_matrix(self.look.display)

    def start(self) -> None:
        """Starts the encoder before the first frame, so that its own complaints are not taken for the disk's.

        Raises:
            ConfigError: if it does not start: for want of a GPU, or of sense in its settings.
        """
        try:
            self.track.codec_context.open()
        except (av.FFmpegError, ValueError) as error:
            name, (high, wide) = self.encoder.name, self.look.size
            raise ConfigError(
                f"{name} does not start for {wide}x{high} in {self.encoder.pixel_format} with the settings "
                f"{self.encoder.options} ({getattr(error, 'strerror', None) or error}); use another --codec, --crf or "
                "--pixel-format"
            ) from None

    def encoded(self, frame: Tensor, time: Fraction, lasts: Fraction) -> "list[Packet[VideoStream]]":
        """The packets that are ready after one more frame.

        Args:
            frame: uint8 or uint16 `(c, h, w)` RGB.
            time: seconds of the file at which it is shown.
            lasts: for how many.
        """
        picture = self.stored(frame)
        picture.pts = max(round(time / self.tick), self.last + 1)
        picture.time_base, picture.duration = self.tick, round(lasts / self.tick)
        self.last, self.lasting, self.even = picture.pts, picture.duration, self.even and lasts == 1 / self.rate
        return self.track.encode(picture)

    def rest(self) -> "list[Packet[VideoStream]]":
        """The packets that the encoder has held back."""
        packets = self.track.encode(None)
        if packets and self.kind in ("mp4", "mov"):
            # There a track ends when its last packet has, which need not be that of the last picture.
            end = self.last + self.lasting
            packets[-1].duration = self.lasting if self.even else end - cast(int, packets[-1].pts)
        return packets

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
