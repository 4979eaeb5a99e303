"""Tells users, before the work begins, what of an input its output will not keep, or will keep against expectation."""

import warnings
from collections.abc import Iterator
from pathlib import Path

from raincheck.errors import RaincheckWarning
from raincheck.networks.base import ClipNetwork
from raincheck.video.display import in_words
from raincheck.video.images.besides import read_besides
from raincheck.video.stream import Stream
from raincheck.video.writing.encoders import Encoding, choose_encoder
from raincheck.video.writing.output import CONTAINERS, is_video

FRAMES = "a stream of frames"


def stays_deep(stream: Stream, output: Path, encoding: Encoding) -> bool:
    """Whether more than 8 bits a value come in and go out; tells the user if they come in only.

    Raises:
        ConfigError: if there is no encoder for what is wanted.
    """
    if stream.bits <= 8:
        return False
    deep = is_video(output) and choose_encoder(CONTAINERS[output.suffix.lower()], stream.size, encoding).bits > 8
    if not deep:
        warnings.warn(
            f"{stream.path} has {stream.bits} bits a value and {output} gets 8; a video file with --pixel-format "
            "yuv420p10le gets 10",
            RaincheckWarning,
            stacklevel=3,
        )
    return deep


def tell_motionless(stream: Stream, network: ClipNetwork) -> None:
    """Tells the user that rain in a single picture has no motion to be known by."""
    if stream.length == 1 and network.window > 1:
        warnings.warn(
            f"{stream.path or 'the video'} is a single frame: this network knows rain by its motion, and removes next "
            "to nothing; give a video, or weights whose window is one frame",
            RaincheckWarning,
            stacklevel=3,
        )


def tell_losses(stream: Stream, output: Path | None, encoding: Encoding) -> None:
    """Tells the user what of the pictures is not kept, a sentence each; None is no output, where frames are handed out.

    Raises:
        InputError: if the first image cannot be read.
        ConfigError: if there is no encoder for what is wanted.
    """
    for notice in [*losses(stream, output, encoding), *lost_colours(stream, output)]:
        warnings.warn(notice, RaincheckWarning, stacklevel=3)


def losses(stream: Stream, output: Path | None, encoding: Encoding) -> Iterator[str]:
    """What is lost, in sentences; what single images lose is said where they are written."""
    named, video = output or FRAMES, output is not None and is_video(output)
    if stream.interlaced:
        yield (
            f"{stream.path} is interlaced: lines of two moments are derained as one frame, and {named} does not say "
            "so; deinterlace it first, for instance with FFmpeg's filter bwdif"
        )
    if stream.transparent:
        yield f"{named} does not keep the transparency of {stream.path}; its pixels are all opaque"
    if stream.display and (output is None or not video or output.suffix.lower() == ".avi"):
        yield (
            f"{named} cannot say that {stream.path} is to be shown {in_words(stream.display)}, and shows it "
            "as it is stored; name a .mp4 or .mkv file to keep that"
        )
    if stream.aspect not in (None, 1) and not keeps_aspect(stream, output, encoding):
        yield f"{named} cannot say that the pixels of {stream.path} are not square; name a .mp4 file to keep that"
    if stream.asides:
        yield f"{named} does not keep the {' and the '.join(stream.asides)} of {stream.path}"
    files = stream.files()
    if files and output is not None and video and (lost := read_besides(files[0]).lost(output.suffix)):
        yield f"{output} does not keep the {' and the '.join(lost)} of {files[0]}"


def lost_colours(stream: Stream, output: Path | None) -> Iterator[str]:
    """What will look other than it should, in sentences."""
    if stream.colour is None:
        return
    if stream.colour.foreign:
        yield (
            f"{stream.path} stores its colours by a matrix (code {stream.colour.matrix} of H.273) that FFmpeg does not "
            "convert, so that they are seen wrong and come out changed; convert it to BT.709 first"
        )
    if stream.colour.beyond is not None and (output is None or not is_video(output)):
        yield (
            f"{output or FRAMES} cannot say that the colours of {stream.path} are {stream.colour.beyond}, so that they "
            "look wrong; name a .mp4 or .mkv file, or convert the video to BT.709 first"
        )


def keeps_aspect(stream: Stream, output: Path | None, encoding: Encoding) -> bool:
    """Whether an output says how wide pixels are; PyAV can't have Matroska say so, only some codecs within it."""
    if output is None or not is_video(output):
        return False
    container = CONTAINERS[output.suffix.lower()]
    encoder = choose_encoder(container, stream.size, encoding)
    return container not in ("matroska", "webm") or encoder.name.startswith(("libx26", "h264", "hevc", "mpeg4"))
