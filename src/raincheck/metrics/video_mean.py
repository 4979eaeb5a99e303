"""Accumulates scores of frames over videos, in torchmetrics' way."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class VideoMean(Metric):
    """Mean over videos of the mean over each video's frames, so that long videos weigh no more than short ones.

    The states are sums, so that processes of a distributed run add up to the same value. Videos without a value (a
    one-frame video has no temporal difference) are left out; the mean over none is NaN.

    Args:
        videos: number of videos of the task.
        kwargs: torchmetrics' own arguments.
    """

    full_state_update = False
    sums: Tensor
    counts: Tensor

    def __init__(self, videos: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("sums", torch.zeros(videos, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("counts", torch.zeros(videos, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, values: Tensor, videos: Tensor) -> None:
        """Adds frames' scores.

        Args:
            values: one score a frame, `(b,)`.
            videos: the index of each frame's video, integers `(b,)` in [0, videos).
        """
        videos = videos.to(self.counts.device)
        self.sums.index_add_(0, videos, values.to(self.sums))
        self.counts.index_add_(0, videos, torch.ones_like(videos, dtype=torch.int64))

    def compute(self) -> Tensor:
        """The mean so far, float64, a scalar."""
        seen = self.counts > 0
        return (self.sums[seen] / self.counts[seen]).mean()
