"""Several processes that learn as one: how they start, meet, agree and end.

Each of them runs the whole program. What touches files is done by the first alone (`first_does`); what a network
computes they divide (division.py).
"""

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from raincheck.errors import ConfigError, RaincheckError, one_line

PARENT = "RAINCHECK_PARENT"  # in the environment of processes that we started: the process that did
STARTER = "RAINCHECK_STARTER"  # in the environment of one that is to end with the process that started it
PATIENCE = 60.0  # seconds that another process leaves to the first to say what was wrong, and to end
TOLERANCE = 1e-3  # of a loss: unlike devices may round otherwise

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """The processes of this program.

    Attributes:
        rank: of this process, in [0, size).
        size: how many there are, two or more.
        words: the torch.distributed group for data on the CPU; tensors on GPUs go over another backend.
    """

    rank: int
    size: int
    words: Any


_joined: Group | None = None


def join(trainer: Any) -> None:
    """Makes this program several processes: starts the others, unless torchrun or SLURM has, and joins their group.

    It returns in each of them. Further calls do nothing.

    Args:
        trainer: a `lightning.Trainer` for one or several processes; of one there is nothing to do.

    Raises:
        ConfigError: if other numbers of processes were started, or met before.
    """
    global _joined
    size = trainer.world_size
    if _joined and size not in (1, _joined.size):
        raise ConfigError(f"this program began with {_joined.size} processes and cannot go on with {size}; start anew")
    if _joined or size == 1:
        if not _joined and "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1":
            raise ConfigError(
                f"torchrun started {os.environ['WORLD_SIZE']} processes and the trainer is for one; set "
                "trainer.devices to the processes of a machine, trainer.num_nodes to the machines and "
                "trainer.strategy to ddp"
            )
        return
    import torch.distributed as dist

    if not trainer.strategy.cluster_environment.creates_processes_externally:
        os.environ[PARENT] = str(os.getpid())
    elif _parent():
        _end_with(_parent())
    try:
        trainer.strategy.launcher.launch(trainer.strategy.setup_environment)
    except ValueError as error:  # SLURM or torchrun started another number of processes
        raise ConfigError(one_line(error)) from None
    words = dist.group.WORLD if dist.get_backend() == "gloo" else dist.new_group(backend="gloo")
    _joined = Group(dist.get_rank(), dist.get_world_size(), words)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def joined() -> Group | None:
    """The group, once the processes have met; None in a program of one."""
    return _joined


def is_first() -> bool:
    """Whether this is the process that writes and speaks; known also before they meet."""
    if _joined:
        return _joined.rank == 0
    ranks = [os.environ[name] for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID") if name in os.environ]
    return not ranks or ranks[0] == "0"


def first_does(action: Callable[[], T]) -> T:
    """Calls `action` in the first process only, and returns its result in all of them.

    Raises:
        RaincheckError: in all, what `action` raises in the first.
    """
    if _joined is None:
        return action()
    import torch.distributed as dist

    told: list[Any] = [None, None]
    if _joined.rank == 0:
        try:
            told[0] = action()
        except RaincheckError as error:
            told[1] = error
    dist.broadcast_object_list(told, src=0, group=_joined.words)
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
    if _joined is None:
        return
    import torch.distributed as dist

    losses: list[float] = [0.0] * _joined.size
    dist.all_gather_object(losses, float(loss), group=_joined.words)
    if not all(_alike(one, losses[0]) for one in losses):
        raise ConfigError(
            f"the processes part, with losses of {', '.join(f'{one:g}' for one in losses)}: something draws numbers of "
            "its own in each of them, or looks at its share of a batch only; let it draw from the global generators, "
            "and work on what the strategy holds, or use one process"
        )


def _alike(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=TOLERANCE) or (math.isnan(one) and math.isnan(other))


@contextmanager
def one_voice() -> Iterator[None]:
    """Lets the first process alone print and say what went wrong.

    Raises:
        SystemExit: in another process, instead of what the first one will have said before it ended.
    """
    if is_first():
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            yield
        except BaseException:
            # Whatever it is, Ctrl-C and SystemExit included: the first process will have met the same, and Lightning,
            # which ends all when it sees this one end, must leave it the time to say so. Nothing is swallowed.
            if _first_ends():
                sys.exit(2)
            raise


def _first_ends() -> bool:
    """Waits for the process that started this one to end, as it will if it met the same error; False if it goes on."""
    parent, until = os.getppid(), time.monotonic() + PATIENCE
    try:
        while os.getppid() == parent and time.monotonic() < until:
            time.sleep(0.1)
    except KeyboardInterrupt:  # torchrun ends what is left
        return True
    return os.getppid() != parent


def _parent() -> int:
    """The process that started this one, if that was one of ours, else 0."""
    return int(os.environ.get(PARENT, "0")) if os.environ.get("LOCAL_RANK", "0") != "0" else 0


def follow_starter() -> None:
    """Ends this process as soon as the one that started it has ended, if that has asked for it by `STARTER`."""
    if starter := os.environ.pop(STARTER, ""):
        _end_with(int(starter))


def _end_with(parent: int) -> None:
    """Ends this process with its parent, which may have been killed without a word."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
