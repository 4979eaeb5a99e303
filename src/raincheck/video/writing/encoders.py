"""Which encoder writes a video, with which settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm

import av
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.video.format import VideoFormat

from raincheck.errors import ConfigError

# Encoders that were not asked for, by preference. mpeg4 is part of every FFmpeg.
PREFERRED = {name: ["libx264", "mpeg4"] for name in ("mp4", "mov", "matroska", "avi")} | {"webm": ["libvpx-vp9"]}
CRF = 18  # visually lossless for x264 and VP9
# What an encoder calls its constant quality, and what else makes it behave.
QUALITY = {
    "libx264": "crf",
    "libx264rgb": "crf",
    "libx265": "crf",
    "libvpx-vp9": "crf",
    "libaom-av1": "crf",
    "libsvtav1": "crf",
    "h264_nvenc": "cq",
    "hevc_nvenc": "cq",
    "av1_nvenc": "cq",
}
WORST = {"libx264": 51, "libx264rgb": 51}  # these take more in silence; those of others that were tried refuse it
# libx264's `faster` takes less of the network's time than its own default, `medium`, for files about as large.
SETTINGS: Mapping[str, dict[str, str]] = {
    "libx264": {"preset": "faster"},
    "libx265": {"preset": "medium", "x265-params": "log-level=none"},
    "libvpx-vp9": {"b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "4"},
    "mpeg4": {"qmin": "2", "qmax": "3"},
}
WHOLE_CHROMA = {"libx264", "libx265"}  # cannot store odd sizes with chroma at half resolution
FINEST = {"mpeg4": 2**16 - 1}  # ticks a second that an encoder can count
FINEST_OF_ALL = 10**6


@dataclass(frozen=True)
class Encoding:
    """What the user wants of an encoded video.

    Attributes:
        crf: constant quality, 0 best; None is 18.
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
    if wanted.crf is not None and wanted.crf < 0:  # encoders take -1 for "unset", and then choose themselves
        raise ConfigError(f"--crf cannot be {wanted.crf}; give 0, the best, or more")
    if wanted.crf is not None and wanted.crf > WORST.get(name, wanted.crf):
        raise ConfigError(f"--crf cannot be {wanted.crf} with {name}; give 0, the best, to {WORST[name]}")
    options = dict(SETTINGS.get(name, {}))
    if name in QUALITY:
        options[QUALITY[name]] = str(CRF if wanted.crf is None else wanted.crf)
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
