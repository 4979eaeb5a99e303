"""`derain`: a video in, frames or a file out."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, TypedDict, Unpack, overload

from raincheck.deraining.applicable import check_applicable
from raincheck.deraining.compare import choose_comparison
from raincheck.deraining.engine import Engine, network_on
from raincheck.deraining.kept import stays_deep, tell_losses, tell_motionless
from raincheck.deraining.showing import Progress, View, counted, derained
from raincheck.deraining.writing import Target, write
from raincheck.errors import ConfigError, InputError, OutputError, RaincheckError
from raincheck.files import check_name
from raincheck.video.part import exact, parse_part
from raincheck.video.reading.decode import open_stream
from raincheck.video.reading.memory import Frame, handed_out, memory_stream
from raincheck.video.stream import FOLDER_RATE, Stream
from raincheck.video.writing.encoders import Encoding
from raincheck.video.writing.output import check_output

Video = str | Path | Frame | Iterable[Frame]
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
    fps: Fraction | float | str | None
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
    fps: Fraction | float | str | None = None,
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
        fps: frames per second of frames and images, such as 29.97 or "30000/1001"; None is 25. A video file has a rate
            of its own, and takes none.
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
    source = named(video, InputError) if isinstance(video, str | Path) else None
    output = None if output is None else named(output, OutputError)
    encoding = Encoding(crf, codec, pixel_format)
    check_applicable(source, output, fps, encoding, overwrite)
    if output is not None:
        check_output(output, source, overwrite)
    part, comparison = parse_part(start, end), choose_comparison(compare)
    stream, arrays = opened(video, rate_of(fps))
    engine = Engine(*network_on(weights, device, trust), precision, tile, compile, self_ensemble)
    tell_motionless(stream, engine.network)
    tell_losses(stream, output, encoding)
    deep = output is not None and stays_deep(stream, output, encoding)
    view = View(part, comparison, cuts, deep)
    # One at a time for those who wait for each frame: a second would make the first late by one.
    at_once = 1 if output is None or source is None else engine.at_once(stream.size)
    pictures = derained(stream, engine, view, at_once)
    if output is None:
        return handed_out(counted(pictures, stream, view, progress), arrays)
    write(pictures, stream, view, Target(output, encoding, overwrite), progress)
    return output


def named(path: str | Path, error: type[RaincheckError]) -> Path:
    """The path of an input or output.

    Raises:
        RaincheckError: of that type, if there can be no such path.
    """
    check_name(Path(path), error)
    return Path(path)


def opened(video: Video, rate: Fraction) -> tuple[Stream, bool]:
    """A video as a stream, and whether its frames are handed out as NumPy arrays; images and frames are of that rate.

    Raises:
        InputError: if it cannot be read.
    """
    if isinstance(video, str | Path):
        return open_stream(video, rate), True
    return memory_stream(video, rate)


def rate_of(fps: Fraction | float | str | None) -> Fraction:
    """Frames per second of frames and images, a number or one as FFmpeg writes it; None is the usual rate.

    Raises:
        ConfigError: if it is no rate.
    """
    if fps is None:
        return FOLDER_RATE
    try:
        # Fraction takes no number of numpy's or torch's.
        rate = exact(fps) if isinstance(fps, str) else fps if isinstance(fps, Fraction) else Fraction(float(fps))
    except (TypeError, ValueError, ArithmeticError, RuntimeError):  # the last for a tensor of several numbers
        rate = Fraction(0)
    if not SLOWEST <= rate <= FASTEST:
        raise ConfigError(f"{fps} frames per second show nothing; give a number from {SLOWEST} to {FASTEST}")
    return rate.limit_denominator(1001)
