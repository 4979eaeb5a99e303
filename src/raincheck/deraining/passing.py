"""A video through a network as a stream: every frame encoded once, every window decoded once, in constant memory."""

from collections.abc import Container, Generator, Iterable, Iterator
from itertools import groupby

import torch
from torch import Tensor

from raincheck.deraining.engine import Engine, Seen
from raincheck.deraining.several import in_order
from raincheck.errors import InputError
from raincheck.networks.base import ClipNetwork
from raincheck.video.cuts import shots
from raincheck.video.pixels import PEAKS
from raincheck.video.stream import FOLDER_RATE, Picture, at_rate
from raincheck.video.window import windows


def derain_pictures(
    pictures: Iterable[Picture], engine: Engine, cuts: bool = True, at_once: int = 1
) -> Generator[tuple[Picture, Tensor], None, None]:
    """Yields every wanted frame with its derained twin; at most `network.window` frames and their features are held.

    Args:
        pictures: of one size, on the CPU.
        engine: the network, and how it computes.
        cuts: no window reaches across a cut between two shots; it is reflected there, as at the video's ends.
        at_once: frames in work at once, see `Engine.at_once`; of more than one, the others are taken and held besides.

    Yields:
        The frame as it was, and a `(c, h, w)` tensor of the same type on the CPU.

    Raises:
        InputError: if there is no frame, or one has another size than the first.
    """
    size = engine.network.window
    shots_ = groupby(seen(same_size(pictures), cuts and size > 1), key=lambda frame: frame.shot)
    wanted = (window for _, shot in shots_ for window in windows(shot, size) if window[size // 2].picture.wanted)
    return in_order(lambda window: (window[size // 2].picture, engine.derain(window)), wanted, at_once)


def derain_pairs(
    frames: Iterable[Tensor], engine: Engine, wanted: Container[int] | None = None, cuts: bool = True
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields (rainy, derained) for every frame.

    Args:
        frames: uint8 `(c, h, w)` RGB on the CPU, all of one size.
        engine: the network, and how it computes.
        wanted: indices of the frames to yield; None yields all. The others are read only.
        cuts: no window reaches across a cut between two shots.

    Yields:
        Two uint8 `(c, h, w)` tensors on the CPU.

    Raises:
        InputError: if there is no frame, or one has another size than the first.
    """
    pictures = (
        picture._replace(wanted=wanted is None or index in wanted)
        for index, picture in enumerate(at_rate(frames, FOLDER_RATE))
    )
    return ((rainy.pixels, derained) for rainy, derained in derain_pictures(pictures, engine, cuts))


def derain_frames(
    frames: Iterable[Tensor],
    network: ClipNetwork,
    device: torch.device,
    wanted: Container[int] | None = None,
    cuts: bool = True,
) -> Iterator[Tensor]:
    """Yields the frames derained by a network on that device; other arguments, and errors, as `derain_pairs`."""
    return (derained for _, derained in derain_pairs(frames, Engine(network, device), wanted, cuts))


def seen(pictures: Iterable[Picture], cuts: bool) -> Iterator[Seen]:
    """Counts the shots; without `cuts` there is one."""
    if not cuts:
        return map(Seen, pictures)
    return (Seen(picture, shot) for picture, shot in shots(pictures, lambda picture: picture.pixels))


def same_size(pictures: Iterable[Picture]) -> Iterator[Picture]:
    """Passes frames on while their sizes agree.

    Raises:
        InputError: if there is no frame, or one is no RGB frame of the first one's size and type.
    """
    size: tuple[int, ...] | None = None
    for index, picture in enumerate(pictures):
        frame = picture.pixels
        if frame.dtype not in PEAKS or frame.ndim != 3 or frame.shape[0] != 3 or 0 in frame.shape:
            raise InputError(
                f"frame {index} is {frame.dtype} of shape {tuple(frame.shape)}; give uint8 RGB frames (c, h, w)"
            )
        size = size or tuple(frame.shape[1:])
        if tuple(frame.shape[1:]) != size:
            raise InputError(
                f"frame {index} is {frame.shape[2]}x{frame.shape[1]} but the first is {size[1]}x{size[0]}; give frames "
                "of one size"
            )
        yield picture
    if size is None:
        raise InputError("the video has no frames; give at least one")
