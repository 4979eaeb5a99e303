"""Deraining a video as a stream: every frame is encoded once, and every window decoded once, in constant memory."""

from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import Any, overload

import torch
from einops import rearrange
from torch import Tensor

from raincheck.errors import ConfigError, InputError
from raincheck.exported import Exported, open_network
from raincheck.networks.base import ClipNetwork
from raincheck.video.decode import open_stream
from raincheck.video.encode import open_writer
from raincheck.video.memory import Frame, memory_stream
from raincheck.video.output import check_output
from raincheck.video.pixels import to_float, to_uint8
from raincheck.video.window import windows

Video = str | Path | Frame | Iterable[Frame]
Progress = Callable[[int, int | None], None]


class Seen:
    """A frame of the stream with its features, which are computed at most once, when a window first needs them.

    Args:
        pixels: uint8 `(c, h, w)` on the CPU.
        network: computes the features.
        device: where the network is.
    """

    def __init__(self, pixels: Tensor, network: ClipNetwork, device: torch.device) -> None:
        self.pixels, self.network, self.device = pixels, network, device
        self._computed: tuple[Tensor, Tensor] | None = None

    def computed(self) -> tuple[Tensor, Tensor]:
        """The frame in [0, 1] `(1, c, h, w)` and its features `(1, f, h', w')`, on the device."""
        if self._computed is None:
            with torch.inference_mode():
                frame = to_float(rearrange(self.pixels, "c h w -> 1 c h w").to(self.device))
                self._computed = frame, self.network.encode(frame)
        return self._computed


def derain_pairs(
    frames: Iterable[Tensor], network: ClipNetwork, device: torch.device, wanted: Container[int] | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields (rainy, derained) for every frame; at most `network.window` frames and their features are held.

    Args:
        frames: uint8 `(c, h, w)` RGB on the CPU, all of one size.
        network: in evaluation mode, on `device`.
        device: where to compute.
        wanted: indices of the frames to yield; None yields all. The others are read only.

    Yields:
        Two uint8 `(c, h, w)` tensors on the CPU.

    Raises:
        InputError: if there is no frame, or one has another size than the first.
    """
    seen = (Seen(pixels, network, device) for pixels in same_size(frames))
    for index, window in enumerate(windows(seen, network.window)):
        if wanted is None or index in wanted:
            yield window[network.window // 2].pixels, decode_window(network, window)


def derain_frames(
    frames: Iterable[Tensor], network: ClipNetwork, device: torch.device, wanted: Container[int] | None = None
) -> Iterator[Tensor]:
    """Yields the derained frames; arguments and errors as `derain_pairs`."""
    return (derained for _, derained in derain_pairs(frames, network, device, wanted))


@torch.inference_mode()
def decode_window(network: ClipNetwork, window: list[Seen]) -> Tensor:
    """The derained centre frame of a window, uint8 `(c, h, w)` on the CPU."""
    features = rearrange([frame.computed()[1] for frame in window], "t 1 f h w -> 1 t f h w")
    derained = network.decode(features, window[len(window) // 2].computed()[0])
    return rearrange(to_uint8(derained), "1 c h w -> c h w").cpu()


def same_size(frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """Passes frames on while their sizes agree.

    Raises:
        InputError: if there is no frame, or one is no RGB frame of the first one's size.
    """
    size: tuple[int, ...] | None = None
    for index, frame in enumerate(frames):
        if frame.dtype != torch.uint8 or frame.ndim != 3 or frame.shape[0] != 3 or 0 in frame.shape:
            raise InputError(
                f"frame {index} is {frame.dtype} of shape {tuple(frame.shape)} (c, h, w); give uint8 RGB frames"
            )
        size = size or tuple(frame.shape[1:])
        if tuple(frame.shape[1:]) != size:
            raise InputError(
                f"frame {index} is {frame.shape[2]}x{frame.shape[1]} but the first is {size[1]}x{size[0]}; give frames "
                "of one size"
            )
        yield frame
    if size is None:
        raise InputError("the video has no frames; give at least one")


def choose_device(name: str) -> torch.device:
    """The device of that name; `auto` is the first accelerator there is, else the CPU.

    Raises:
        ConfigError: if there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
        if device.type == "meta":
            raise ConfigError("the device meta computes nothing; use auto, cpu, cuda or mps")
    except (RuntimeError, AssertionError, NotImplementedError):  # torch asserts that it was built with CUDA
        raise ConfigError(f"there is no device {name!r} here; use auto, cpu, cuda, cuda:1 or mps") from None
    return device


def network_on(weights: str | Path, device: str, trust: bool) -> tuple[ClipNetwork, torch.device]:
    """The network that `weights` names, and the device that it is on.

    Raises:
        WeightsError: if there are no such weights, or they are not trusted.
        ConfigError: if there is no such device, or the weights cannot be computed on it.
    """
    network = open_network(weights, trust)
    if isinstance(network, Exported):
        if device not in ("auto", "cpu"):
            raise ConfigError(
                f"{weights} is an exported network, which is computed on the CPU, not on {device}; use cpu"
            )
        device = "cpu"
    place = choose_device(device)
    return network.to(place), place


@overload
def derain(
    video: Video,
    output: None = None,
    *,
    weights: str | Path = "rrgnet",
    device: str = "auto",
    trust: bool = False,
    compare: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Iterator[Any]: ...


@overload
def derain(
    video: Video,
    output: str | Path,
    *,
    weights: str | Path = "rrgnet",
    device: str = "auto",
    trust: bool = False,
    compare: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path: ...


def derain(
    video: Video,
    output: str | Path | None = None,
    *,
    weights: str | Path = "rrgnet",
    device: str = "auto",
    trust: bool = False,
    compare: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Iterator[Any] | Path:
    """Removes the rain from a video, as a stream, in constant memory.

    Args:
        video: a video file; a folder of frames; or RGB frames in uint8, of any iterable: NumPy arrays `(h, w, c)`, so
            also one array `(t, h, w, c)`, or tensors `(c, h, w)`, so also one tensor `(t, c, h, w)`.
        output: a video file (.mp4, .m4v, .mov, .mkv, .webm, .avi), else a folder for one image a frame, which are named
            as the input's images, or 00001.png and so on. None writes nothing and yields the frames.
        weights: `rrgnet` (shipped), `identity`, a weights file, a run's folder, or an exported .onnx or .pt2 file.
        device: `auto`, or what torch calls it; exported files are computed on the CPU.
        trust: open .pt2 files, whose content can run code.
        compare: put the rainy frame to the left of the derained one.
        overwrite: allow the replacement of an output folder of frames; an output file is always replaced.
        progress: called after each frame with the frames done and the number in all, if it is known.

    Returns:
        Without `output` an iterator over frames like those given: tensors `(c, h, w)` for tensors, else NumPy arrays
        `(h, w, c)`, uint8. With `output` its path, when all is written.

    Raises:
        InputError: if the video cannot be read.
        OutputError: if the output cannot or must not be written; nothing is left of it.
        WeightsError: if there are no such weights, or they are not trusted.
        ConfigError: if there is no such device, or the weights cannot be computed on it.
    """
    source = Path(video) if isinstance(video, str | Path) else None
    if output is not None:
        check_output(output, source, overwrite)
    stream, arrays = (open_stream(video), True) if isinstance(video, str | Path) else memory_stream(video)
    network, place = network_on(weights, device, trust)
    pictures = counted(pictures_of(derain_pairs(stream.frames(), network, place), compare), stream.length, progress)
    if output is None:
        return (rearrange(p, "c h w -> h w c").numpy() for p in pictures) if arrays else pictures
    high, wide = stream.size
    size = (high, 2 * wide) if compare else (high, wide)
    with open_writer(
        output,
        fps=stream.fps,
        size=size,
        rotation=stream.rotation,
        names=stream.names,
        source=source,
        overwrite=overwrite,
    ) as writer:
        for picture in pictures:
            writer.write(picture)
    return Path(output)


def pictures_of(pairs: Iterable[tuple[Tensor, Tensor]], compare: bool) -> Iterator[Tensor]:
    """The derained frames `(c, h, w)`, or rainy and derained side by side `(c, h, 2 w)`."""
    return (rearrange([r, d], "n c h w -> c h (n w)") if compare else d for r, d in pairs)


def counted(pictures: Iterable[Tensor], length: int | None, progress: Progress | None) -> Iterator[Tensor]:
    """Passes pictures on and reports how many there were."""
    for done, picture in enumerate(pictures, start=1):
        yield picture
        if progress is not None:
            progress(done, length)
