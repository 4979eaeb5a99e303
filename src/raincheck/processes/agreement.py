"""What several processes tell each other, so that all go on alike or end alike."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

from raincheck.errors import ConfigError, RaincheckError
from raincheck.processes.group import Group, joined

TOLERANCE = 1e-3  # of a loss: unlike devices may round otherwise

T = TypeVar("T")


def first_does(action: Callable[[], T]) -> T:
    """Calls `action` in the first process only, and returns its result in all of them.

    Raises:
        RaincheckError: in all, what `action` raises in the first.
    """
    if (group := joined()) is None:
        return action()
    import torch.distributed as dist

    told: list[Any] = [None, None]
    if group.rank == 0:
        try:
            told[0] = action()
        except RaincheckError as error:
            told[1] = error
    dist.broadcast_object_list(told, src=0, group=group.words)
    if told[1] is not None:
        raise told[1]
    result: T = told[0]
    return result


def agree(error: RaincheckError | None, group: Group) -> None:
    """Raises in all processes what went wrong in any of them.

    Raises:
        RaincheckError: the error of the lowest rank that has one.
    """
    import torch.distributed as dist

    errors: list[RaincheckError | None] = [None] * group.size
    dist.all_gather_object(errors, error, group=group.words)
    for one in errors:
        if one is not None:
            raise one


def refuse_parted(loss: Any) -> None:
    """Compares a loss that is of the whole batch in every process.

    Args:
        loss: a number, or a tensor with one.

    Raises:
        ConfigError: in all of them, if it is not the same.
    """
    if (group := joined()) is None:
        return
    import torch.distributed as dist

    losses: list[float] = [0.0] * group.size
    dist.all_gather_object(losses, float(loss), group=group.words)
    if not all(_alike(one, losses[0]) for one in losses):
        raise ConfigError(
            f"the processes have diverged, with losses of {', '.join(f'{one:g}' for one in losses)}: something draws "
            "its own random numbers in each, or looks only at its share of a batch; let it draw from the global "
            "generators, and work on what the strategy holds, or use one process"
        )


def _alike(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=TOLERANCE) or (math.isnan(one) and math.isnan(other))
