"""How long an experience is."""

import math
from typing import Any

from raincheck.seam.loaders import ENDLESS, batches


def planned_batches(strategy: Any) -> int | None:
    """Batches that the present experience takes in all, over all epochs; None if there is no knowing.

    In Lightning's loop the Trainer's limits count: `max_steps`, and those of an epoch's batches.

    Args:
        strategy: within an iteration.
    """
    fit, loaded = getattr(strategy, "last_fit", None), batches(strategy.dataloader)
    if fit is None:
        return None if loaded is None else loaded * int(strategy.train_epochs)
    epoch = int(min(fit.num_training_batches, ENDLESS if loaded is None else loaded))
    whole = None if epoch == ENDLESS else epoch * int(strategy.train_epochs)
    if fit.max_steps < 0:
        return whole
    least = batches_of_steps(fit.max_steps, fit.accumulate_grad_batches, epoch)
    return least if whole is None else min(whole, least)


def decided_elsewhere(strategy: Any) -> str | None:
    """What makes an experience end at another batch than `planned_batches` says; None if nothing is known to.

    Args:
        strategy: within an iteration.
    """
    fit: Any = getattr(strategy, "last_fit", None)
    for callback in fit.callbacks if fit else ():  # Lightning's, which plugins do not import
        if getattr(callback, "time_remaining", lambda: None)() is not None:
            return "max_time"
        if fit.max_steps >= 0 and hasattr(callback, "get_accumulate_grad_batches"):
            return type(callback).__name__
    return None


def batches_of_steps(steps: int, accumulated: int, epoch: int) -> int:
    """Batches that so many steps of the optimizer take.

    Args:
        steps: 1 or more.
        accumulated: batches a step; the last step of an epoch may be of fewer.
        epoch: batches an epoch, 1 or more.
    """
    epochs, before = divmod(steps - 1, math.ceil(epoch / accumulated))
    return epochs * epoch + min((before + 1) * accumulated, epoch)
