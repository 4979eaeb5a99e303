"""`derain`: a video in, frames or a file out."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from typing import Any, TypedDict, Unpack, overload

import torch
from einops import rearrange
from torch import Tensor

from raincheck.deraining.applicable import check_applicable
from raincheck.deraining.compare import COMPARISONS, choose_comparison
from raincheck.deraining.engine import Engine, network_on
from raincheck.deraining.kept import stays_deep, tell_losses, tell_motionless
from raincheck.deraining.passing import derain_pictures
from raincheck.errors import ConfigError, OutputError
from raincheck.video.ahead import ahead
from raincheck.video.companions import Companions
from raincheck.video.cuts import CONTEXT
from raincheck.video.decode import Stream, open_stream
from raincheck.video.encode import open_writer
from raincheck.video.encoders import Encoding
from raincheck.video.file_writer import Look
from raincheck.video.memory import Frame, memory_stream
from raincheck.video.output import check_output, is_image, is_video
from raincheck.video.part import Part, parse_moment
from raincheck.video.stream import FOLDER_RATE, Picture

Video = str | Path | Frame | Iterable[Frame]
Progress = Callable[[int, int | None], None]
SLOWEST, FASTEST = 0.001, 1_000_000  # frames per second


class Options(TypedDict, total=False):
    """The keyword arguments of `derain`, which explains them."""

    weights: str | Path
    device: str
    trust: bool
    precision: str
    compile: bool
    self_ensemble: bool
    tile: int | str
    compare: bool | str
    start: str | float | None
    end: str | float | None
    cuts: bool
    fps: Fraction | float | None
    crf: int | None
    codec: str | None
    pixel_format: str | None
    overwrite: bool
    progress: Progress | None


@overload
def derain(video: Video, output: None = None, **options: Unpack[Options]) -> Iterator[Any]: ...


@overload
def derain(video: Video, output: str | Path, **options: Unpack[Options]) -> Path: ...


def derain(
    video: Video,
    output: str | Path | None = None,
    *,
    weights: str | Path = "rrgnet",
    device: str = "auto",
    trust: bool = False,
    precision: str = "fp32",
    compile: bool = False,
    self_ensemble: bool = False,
    tile: int | str = "auto",
    compare: bool | str = False,
    start: str | float | None = None,
    end: str | float | None = None,
    cuts: bool = True,
    fps: Fraction | float | None = None,
    crf: int | None = None,
    codec: str | None = None,
    pixel_format: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Iterator[Any] | Path:
    """Removes the rain from a video, as a stream, in constant memory.

    A video file keeps its frames and their times, rotation, colour tags, pixel aspect, sound, subtitles, chapters and
    tags; an image its orientation, colour profile and transparency. What the output cannot hold is left out with a
    `RaincheckWarning`. There is one too where time stamps jump back, and all goes on from there, and for a single
    picture, in which no rain moves, so that next to none is removed.

    Args:
        video: a video file; a folder of frames; an image; or RGB frames in uint8, of any iterable: NumPy arrays
            `(h, w, c)`, so also one array `(t, h, w, c)`, or tensors `(c, h, w)`, so also one tensor `(t, c, h, w)`.
            With an output, all frames of an iterable but the first are taken in a thread of our own.
        output: a video file (.mp4, .m4v, .mov, .mkv, .webm, .avi); for an image an image; else a folder for one image
            a frame, which are named as the input's images, or 00001.png and so on. None writes nothing and yields the
            frames.
        weights: `rrgnet` or the faster `rrgnet-small` (shipped), `identity`, a weights file, a run's folder, or an
            exported .onnx or .pt2 file.
        device: `auto`, or what torch calls it; exported files are computed on the CPU.
        trust: open .pt2 files, whose content can run code.
        precision: `fp32`; `bf16`, which is faster on CPUs with AMX (benchmarks/precision.py) and changes frames by some
            hundredths of a grey level on average; or `auto`, which is bf16 on those and on GPUs, and fp32 elsewhere.
        compile: translates the network with torch.compile at the first frame. That takes time and a C++
            compiler, and pays for long videos in bf16.
        self_ensemble: the mean of what the network says of the video and of its mirror image: less rain is left and
            less harm done, for two passes instead of one (experiments/results/weights_check.md).
        tile: side of the tiles that frames are cut into, in pixels; `auto` cuts where memory is short, `none` never.
        compare: `side` (or True) puts the rainy frame to the left of the derained one; `wipe` shows both in one frame.
        start: the first frame: seconds (12.5), a time ("1:02:03.5") or frames ("250f"). Seconds are sought in a video
            file; frames are counted from its first, which takes the time of decoding them.
        end: the frame after the last, in the same words. Frames outside are still seen by windows.
        cuts: no window reaches across a cut between two shots.
        fps: frames per second of frames and images; None is 25. A video file has a rate of its own, and takes none.
        crf: constant quality of a video file, 0 best; None is 18.
        codec: FFmpeg's name of an encoder; None is H.264, or VP9 for .webm.
        pixel_format: FFmpeg's name; None is yuv420p. With one of more than 8 bits, a video of more is computed in 16
            and keeps them.
        overwrite: allow the replacement of the frames in an output folder; an output file is always replaced.
        progress: called after each frame with the frames done and the number in all, if it is known.

    Returns:
        Without `output` an iterator over frames like those given: tensors `(c, h, w)` for tensors, else NumPy arrays
        `(h, w, c)`, uint8. With `output` its path, when all is written.

    Raises:
        InputError: if the video cannot be read.
        OutputError: if the output cannot or must not be written; nothing is left of it.
        WeightsError: if there are no such weights, or they are not trusted.
        ConfigError: if an option asks for what does not exist, or cannot apply to such an input or output.
    """
    source = Path(video) if isinstance(video, str | Path) else None
    target = None if output is None else Path(output)
    encoding = Encoding(crf, codec, pixel_format)
    check_applicable(source, target, fps, encoding, overwrite)
    if target is not None:
        check_output(target, source, overwrite)
    comparison = choose_comparison(compare)
    part = Part(*(None if moment is None else parse_moment(moment) for moment in (start, end)))
    rate = rate_of(fps)
    stream, arrays = (open_stream(video, rate), True) if isinstance(video, str | Path) else memory_stream(video, rate)
    engine = Engine(*network_on(weights, device, trust), precision, tile, compile, self_ensemble)
    tell_motionless(stream, engine.network)
    deep = target is not None and stays_deep(stream, target, encoding)
    if target is not None:
        tell_losses(stream, target, encoding)
    pictures = derained(stream, engine, part, comparison, cuts, deep)
    length = part.count(stream.length, stream.fps)
    if target is None:
        return handed_out((picture.pixels for picture in counted(pictures, length, progress)), arrays)
    if is_image(target) and stream.length != 1:
        raise OutputError(f"cannot write {target}: an image holds one frame; name a video file or a folder")
    with closing(ahead(pictures)) as ready:
        write(counted(ready, length, progress), stream, target, part, comparison, encoding, overwrite)
    return target


def handed_out(frames: Iterator[Tensor], arrays: bool) -> Iterator[Any]:
    """Frames `(c, h, w)` that callers may draw on, as NumPy arrays `(h, w, c)` or as tensors.

    OpenCV wants them contiguous, and torch refuses tensors made in inference mode.
    """
    if arrays:
        return (rearrange(frame, "c h w -> h w c").contiguous().numpy() for frame in frames)
    return (frame.clone(memory_format=torch.contiguous_format) for frame in frames)


def rate_of(fps: Fraction | float | None) -> Fraction:
    """Frames per second of frames and images; None is the usual rate.

    Raises:
        ConfigError: if it is no rate.
    """
    if fps is not None and not SLOWEST <= fps <= FASTEST:
        raise ConfigError(f"{fps} frames per second show nothing; give a number from {SLOWEST} to {FASTEST}")
    return FOLDER_RATE if fps is None else Fraction(fps).limit_denominator(1001)


def derained(
    stream: Stream, engine: Engine, part: Part, comparison: str | None, cuts: bool, deep: bool
) -> Iterator[Picture]:
    """The frames to show with their times.

    Raises:
        InputError: if the video cannot be read, or none of its frames is in the part.
    """
    source = stream.pictures(part, engine.network.window // 2 + CONTEXT, deep)
    # Frames from memory are taken by whoever takes ours: without an output in the thread of the caller, who may need it
    # so; with one in the thread that computes.
    source = source if stream.path is None else ahead(source)
    with closing(source):
        for rainy, pixels in derain_pictures(source, engine, cuts):
            shown = pixels if comparison is None else COMPARISONS[comparison](rainy.pixels, pixels, rainy.time)
            yield rainy._replace(pixels=shown)


def counted(pictures: Iterable[Picture], length: int | None, progress: Progress | None) -> Iterator[Picture]:
    """Passes frames on, and reports how many were taken and used."""
    for done, picture in enumerate(pictures, start=1):
        yield picture
        if progress is not None:
            progress(done, length)


def write(
    pictures: Iterable[Picture],
    stream: Stream,
    output: Path,
    part: Part,
    comparison: str | None,
    encoding: Encoding,
    overwrite: bool,
) -> None:
    """Writes frames with all that goes with them.

    Raises:
        InputError: if the video cannot be read.
        OutputError: if the output cannot be written; nothing is left of it.
        ConfigError: if there is no encoder for what is wanted.
    """
    high, wide = stream.size
    size = (high, 2 * wide) if comparison == "side" else (high, wide)
    first, files = part.first(stream.fps), stream.files()
    look = Look(stream.fps, size, stream.display, stream.colour, stream.aspect, stream.tick)
    with ExitStack() as stack:
        companions = None
        if stream.path is not None and stream.names is None and is_video(output):
            companions = stack.enter_context(closing(Companions(stream.path, part)))
        writer = stack.enter_context(
            open_writer(
                output,
                look,
                encoding=encoding,
                names=stream.names and stream.names[first:],
                originals=files and files[first:],
                companions=companions,
                source=stream.path,
                overwrite=overwrite,
            )
        )
        for picture in pictures:
            writer.write(picture.pixels, picture.time, picture.lasts)
