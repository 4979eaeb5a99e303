"""Scoring one video: derain it, and compare it with its clean twin."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from statistics import fmean
from time import perf_counter

from torch import Tensor

from raincheck.datasets.pair import check_in_step
from raincheck.deraining import Engine, Progress, derain_pairs, network_on
from raincheck.errors import InputError
from raincheck.metrics import METRICS, score_frames
from raincheck.video.cuts import CONTEXT
from raincheck.video.reading.decode import open_stream
from raincheck.video.stream import Stream


class WaitTimer:
    """Adds up the wall time that a stream's consumer waits for its items.

    Attributes:
        seconds: waited so far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, items: Iterable[Tensor]) -> Iterator[Tensor]:
        """Passes items on."""
        iterator = iter(items)
        while True:
            start = perf_counter()
            item = next(iterator, None)
            self.seconds += perf_counter() - start
            if item is None:
                return
            yield item


def evaluate_pair(
    rainy: str | Path,
    clean: str | Path,
    weights: str | Path = "rrgnet",
    frames: slice = slice(None),
    device: str = "auto",
    trust: bool = False,
    precision: str = "fp32",
    progress: Progress | None = None,
    self_ensemble: bool = False,
) -> dict[str, float | int | None]:
    """Derains a video and scores it against its clean twin, as a stream.

    Args:
        rainy: a video file or a folder of frames.
        clean: the same without rain: as many frames, of the same size.
        weights: `rrgnet` or the faster `rrgnet-small` (shipped), `identity`, a weights file, a run's folder, or an
            exported .onnx or .pt2 file.
        frames: the frames to score; windows still see the frames around them. They are scored in ascending order.
        device: `auto`, or what torch calls it; exported files are computed on the CPU.
        trust: open .pt2 files, whose content can run code.
        precision: `fp32`, `bf16` or `auto`, as in `derain`.
        progress: called after each scored frame with the frames done and the number in all.
        self_ensemble: as in `derain`.

    Returns:
        Every metric of `raincheck.metrics.METRICS`, in its unit: the mean over the scored frames; of temporal metrics,
        over the pairs of a scored frame and the scored frame before it, None if there is only one;
        `frames`: how many were scored; `seconds_per_frame`: wall time of the network with windowing, feature cache
        and transfer, without decoding and scoring; `seconds_per_frame_total`: wall time of everything. Both times
        are means without the first scored frame, which warms up, unless it is the only one.

    Raises:
        InputError: if a video cannot be read, the two do not fit, or no frame is left to score.
        WeightsError: if there are no such weights, or they are not trusted.
        ConfigError: if there is no such device or precision, or the weights cannot be computed in it.
    """
    rainy_stream, clean_stream = open_stream(rainy), open_stream(clean)
    scored = chosen_frames(common_length(rainy_stream, clean_stream), frames, rainy_stream)
    check_in_step([(Path(rainy), Path(clean))])
    engine = Engine(*network_on(weights, device, trust), precision, "auto", self_ensemble=self_ensemble)
    # Nothing behind the last window is read.
    source = islice(rainy_stream.frames(), scored[-1] + engine.network.window // 2 + CONTEXT + 1)
    reading = WaitTimer()
    derained = (frame for _, frame in derain_pairs(reading.around(source), engine, scored))
    twins = (twin for index, twin in enumerate(clean_stream.frames()) if index in scored)
    return scores(derained, twins, reading, lambda done: progress(done, len(scored)) if progress else None)


def scores(
    derained: Iterable[Tensor], clean: Iterable[Tensor], reading: WaitTimer, report: Callable[[int], None]
) -> dict[str, float | int | None]:
    """Means of all metrics and times, as `evaluate_pair` returns them.

    Args:
        derained: derained frames, uint8 `(c, h, w)`.
        clean: their clean twins.
        reading: measures what `derained` waits for its rainy frames, which is not the network's time.
        report: called with the number of frames done.
    """
    values: dict[str, list[float]] = {name: [] for name in METRICS}
    network_seconds, seconds = [], []
    waiting = WaitTimer()
    before: tuple[Tensor, Tensor] | None = None
    start, networked = perf_counter(), 0.0
    for done, (frame, twin) in enumerate(zip(waiting.around(derained), clean, strict=False), start=1):
        for name, value in score_frames(frame, twin, before).items():
            values[name].append(float(value))
        before = frame, twin
        network_seconds.append(waiting.seconds - reading.seconds - networked)
        networked = waiting.seconds - reading.seconds
        seconds.append(perf_counter() - start)
        start = perf_counter()
        report(done)
    return {
        **{name: fmean(found) if found else None for name, found in values.items()},
        "frames": len(seconds),
        "seconds_per_frame": fmean(network_seconds[1:] or network_seconds),
        "seconds_per_frame_total": fmean(seconds[1:] or seconds),
    }


def common_length(rainy: Stream, clean: Stream) -> int:
    """The number of frames of both.

    Raises:
        InputError: naming both, if their sizes or numbers of frames differ.
    """
    if rainy.size != clean.size:
        raise InputError(
            f"{rainy.path} has frames of {rainy.size[1]}x{rainy.size[0]} but {clean.path} of "
            f"{clean.size[1]}x{clean.size[0]}; give a video and its clean twin"
        )
    # Counted rather than believed: what containers announce can be off by some frames.
    lengths = rainy.count(), clean.count()
    if lengths[0] != lengths[1]:
        raise InputError(
            f"{rainy.path} has {lengths[0]} frames but {clean.path} has {lengths[1]}; give a video and its clean twin"
        )
    return lengths[0]


def chosen_frames(length: int, frames: slice, video: Stream) -> range:
    """Ascending indices of the frames of a slice.

    Raises:
        InputError: if the slice is empty or its step is 0.
    """
    if frames.step == 0:
        raise InputError("a slice of frames cannot have step 0; leave the step out")
    chosen = range(*frames.indices(length))
    if not chosen:
        first, last = ("" if end is None else end for end in (frames.start, frames.stop))
        raise InputError(f"{video.path} has {length} frames, none of them in [{first}:{last}]; choose other frames")
    return chosen if chosen.step > 0 else chosen[::-1]
