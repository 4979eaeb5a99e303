"""Which encoder writes a video, with which settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from numbers import Integral

import av
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.video.format import VideoFormat

from raincheck.errors import ConfigError

# Encoders that were not asked for, by preference. mpeg4 is part of every FFmpeg.
PREFERRED = {name: ["libx264", "mpeg4"] for name in ("mp4", "mov", "matroska", "avi")} | {"webm": ["libvpx-vp9"]}
CRF = 18  # visually lossless for x264 and VP9
# What an encoder calls its constant quality, and the best and the worst of it. Beyond these, some choose in silence:
# x264 takes its worst, and 0 is 35 for SVT-AV1, and anything for NVENC.
QUALITY = {
    "libx264": ("crf", 0, 51),
    "libx264rgb": ("crf", 0, 51),
    "libx265": ("crf", 0, 51),
    "libvpx-vp9": ("crf", 0, 63),
    "libaom-av1": ("crf", 0, 63),
    "libsvtav1": ("crf", 1, 63),
    "h264_nvenc": ("cq", 1, 51),
    "hevc_nvenc": ("cq", 1, 51),
    "av1_nvenc": ("cq", 1, 63),
}
# libx264's `faster` takes less of the network's time than its own default, `medium`, for files about as large.
SETTINGS: Mapping[str, dict[str, str]] = {
    "libx264": {"preset": "faster"},
    "libx265": {"preset": "medium", "x265-params": "log-level=none"},
    "libvpx-vp9": {"b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "4"},
    "mpeg4": {"qmin": "2", "qmax": "3"},
}
os.environ.setdefault("SVT_LOG", "0")  # what keeps SVT-AV1 from describing itself on standard error
WHOLE_CHROMA = {"libx264", "libx265"}  # cannot store odd sizes with chroma at half resolution
FINEST = {"mpeg4": 2**16 - 1}  # ticks a second that an encoder can count
FINEST_OF_ALL = 10**6


@dataclass(frozen=True)
class Encoding:
    """What the user wants of an encoded video.

    Attributes:
        crf: constant quality, 0 best, or 1 where the encoder takes 0 for its own choice; None is 18.
        codec: FFmpeg's name of an encoder; None is H.264, or VP9 for .webm.
        pixel_format: FFmpeg's name; None is yuv420p, for odd sizes in H.264 yuv444p.
    """

    crf: int | None = None
    codec: str | None = None
    pixel_format: str | None = None


@dataclass(frozen=True)
class Encoder:
    """An encoder that exists here, with settings that fit it.

    Attributes:
        name: FFmpeg's name.
        pixel_format: FFmpeg's name.
        options: its settings.
    """

    name: str
    pixel_format: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def rgb(self) -> bool:
        """Whether it stores RGB and has no colour matrix."""
        return VideoFormat(self.pixel_format, 2, 2).is_rgb

    @property
    def bits(self) -> int:
        """Of a value as it is stored."""
        return max(component.bits for component in VideoFormat(self.pixel_format, 2, 2).components)

    def clock(self, fps: Fraction, tick: Fraction | None) -> tuple[Fraction, Fraction]:
        """The rate that it can state, and the seconds of a tick that both the rate and time stamps are multiples of."""
        finest = FINEST.get(self.name, FINEST_OF_ALL)
        if max(fps.numerator, fps.denominator) > finest:
            fps = fps.limit_denominator(1001)
        ticks = fps.numerator
        if tick is not None:
            both = lcm(ticks, tick.denominator)
            ticks = both if both <= finest else finest // ticks * ticks
        return fps, Fraction(1, ticks)


def choose_encoder(container: str, size: tuple[int, int], wanted: Encoding) -> Encoder:
    """The encoder for a container format and frames of that height and width.

    Raises:
        ConfigError: if there is no such encoder here, or it cannot do what is wanted.
    """
    name = wanted.codec or next((n for n in PREFERRED[container] if n in av.codecs_available), "mpeg4")
    formats = pixel_formats(name)
    odd = bool(size[0] % 2 or size[1] % 2) and name in WHOLE_CHROMA
    usual = "yuv444p" if odd else "yuv420p"
    chosen = wanted.pixel_format or (usual if usual in formats or not formats else formats[0])
    if formats and chosen not in formats:
        raise ConfigError(f"{name} does not write the pixel format {chosen!r}; use one of {', '.join(formats)}")
    if odd and VideoFormat(chosen, 2, 2).chroma_width(2) == 1:
        raise ConfigError(f"{name} cannot write {size[1]}x{size[0]} in {chosen}; use the pixel format yuv444p")
    options = dict(SETTINGS.get(name, {}))
    if name in QUALITY:
        option, best, worst = QUALITY[name]
        crf = CRF if wanted.crf is None else wanted.crf
        if not isinstance(crf, Integral) or not best <= crf <= worst:
            raise ConfigError(f"--crf cannot be {crf!r} with {name}; give {best}, the best, to {worst}")
        options[option] = str(crf)
    elif wanted.crf is not None:
        raise ConfigError(f"{name} knows no constant quality; leave --crf out, or use one of {', '.join(QUALITY)}")
    if container == "avi":  # stores no presentation times: frames must be stored in the order in which they are shown
        options["bf"] = "0"
    return Encoder(name, chosen, options)


def pixel_formats(name: str) -> list[str]:
    """What a video encoder can store; empty where it does not say.

    Raises:
        ConfigError: if there is no such encoder here.
    """
    try:
        codec = Codec(name, "w")
    except UnknownCodecError:
        codec = None
    if codec is None or codec.type != "video":
        raise ConfigError(f"FFmpeg has no video encoder {name!r} here; use libx264, libx265, libvpx-vp9 or ffv1")
    return [f.name for f in codec.video_formats or []]
