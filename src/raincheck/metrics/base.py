"""What a metric is, and what all metrics do to frames before they compare them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from raincheck.errors import InputError
from raincheck.video.pixels import to_uint8

LARGEST = 2.0  # value of a clean frame, with room for rounding and ringing


@dataclass(frozen=True)
class Metric:
    """A pure function of frames, and how to read its values.

    Attributes:
        name: how the metric is called in JSON files, logs and reports.
        score: `score(derained, clean)`, or `score(derained, previous_derained, clean, previous_clean)` where
            `temporal`; frames `(..., c, h, w)` to one float64 value for each leading index, `(...)`.
        higher_is_better: False for errors.
        unit: of the values; empty where they have none.
        temporal: whether `score` wants the previous frames too, so that a video's first frame has no value.
    """

    name: str
    score: Callable[..., Tensor]
    higher_is_better: bool = True
    unit: str = ""
    temporal: bool = False


def quantised(*frames: Tensor) -> list[Tensor]:
    """Rounds frames that belong together to 8 bits.

    Args:
        frames: tensors of one shape `(..., 3, h, w)`, RGB, float in [0, 1] or uint8.

    Raises:
        InputError: if the shapes differ, or the frames are empty, not RGB, of integers but uint8, no numbers, or all on
            a scale other than [0, 1].
    """
    shapes = [tuple(frame.shape) for frame in frames]
    if len(set(shapes)) > 1:
        raise InputError(
            f"frames of shapes {' and '.join(map(str, shapes))} cannot be compared; give frames of one size"
        )
    if len(shapes[0]) < 3 or shapes[0][-3] != 3 or 0 in shapes[0]:
        raise InputError(
            f"frames of shape {shapes[0]} cannot be scored; give RGB frames (..., 3, h, w) of 1 pixel or more"
        )
    check_range(frames)
    return [to_uint8(frame) for frame in frames]


def check_range(frames: tuple[Tensor, ...]) -> None:
    """Refuses what rounding would turn into frames that nobody meant.

    A derained frame may leave [0, 1] and is clamped; a scale of 0 to 255 shows in the clean frame too.

    Raises:
        InputError: saying what is wrong with them.
    """
    for frame in frames:
        if frame.dtype != torch.uint8 and not frame.is_floating_point():
            raise InputError(f"frames of {frame.dtype} cannot be scored; give uint8, or floats in [0, 1]")
        if frame.is_floating_point() and frame.isnan().any():
            raise InputError("a frame with NaN values cannot be scored; check the network's weights")
    if all(frame.is_floating_point() and frame.max() > LARGEST for frame in frames):
        raise InputError("frames with values far above 1 cannot be scored; give uint8, or floats in [0, 1]")
