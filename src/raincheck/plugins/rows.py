"""Which rows of a batch are the experience's own, whatever the labels of data say.

They are the first ones. Behind them are those of earlier experiences, which came from a memory: `RainReview`, as any
plugin may, appends them before the forward pass. Avalanche's own replay plugins (Replay, RAR, GSS, CoPE, BiC) have them
loaded instead, by a loader that takes so many rows of the experience and so many of the memory.

Two of Avalanche's do neither, and both are for classes only: the strategy DER puts its memory's rows in front, which
would be taken for new ones, and generative replay appends in `before_training_iteration`, so that its plugin must come
after those that ask here.
"""

from typing import Any

from avalanche.benchmarks.utils.data_loader import ReplayDataLoader


def own_rows(strategy: Any) -> int:
    """How many rows of the batch are the experience's own.

    Args:
        strategy: in `before_training_iteration`, when the batch is as it was loaded.
    """
    rows, loader = len(strategy.mbatch[0]), strategy.dataloader
    if not isinstance(loader, ReplayDataLoader):
        return rows
    data, batch, before = len(loader.datasets[0]), loader.batch_sizes[0], int(strategy.clock.train_epoch_iterations)
    own: int = min(rows, batch, data - batch * before)
    return own
