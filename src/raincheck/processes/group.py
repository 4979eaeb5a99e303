"""The processes of this program: how they start and meet."""

import os
from dataclasses import dataclass
from typing import Any

from raincheck.errors import ConfigError, one_line
from raincheck.processes.lifetime import PARENT, end_with, parent


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
    _check_size(trainer.world_size)
    if _joined or trainer.world_size == 1:
        return
    import torch.distributed as dist

    if not trainer.strategy.cluster_environment.creates_processes_externally:
        os.environ[PARENT] = str(os.getpid())
    elif starter := parent():
        end_with(starter)
    try:
        trainer.strategy.launcher.launch(trainer.strategy.setup_environment)
    except ValueError as error:  # SLURM or torchrun started another number of processes
        raise ConfigError(one_line(error)) from None
    words = dist.group.WORLD if dist.get_backend() == "gloo" else dist.new_group(backend="gloo")
    _joined = Group(dist.get_rank(), dist.get_world_size(), words)


def _check_size(size: int) -> None:
    if _joined and size not in (1, _joined.size):
        raise ConfigError(f"this program began with {_joined.size} processes and cannot go on with {size}; start anew")
    started = os.environ.get("WORLD_SIZE", "1") if "TORCHELASTIC_RUN_ID" in os.environ else "1"
    if not _joined and size == 1 and started != "1":
        raise ConfigError(
            f"torchrun started {started} processes, but the trainer is for one; set trainer.devices to the processes "
            "of a machine, trainer.num_nodes to the machines and trainer.strategy to ddp"
        )


def joined() -> Group | None:
    """The group, once the processes have met; None in a program of one."""
    return _joined


def is_first() -> bool:
    """Whether this is the process that writes and speaks; known also before they meet."""
    if _joined:
        return _joined.rank == 0
    ranks = [os.environ[name] for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID") if name in os.environ]
    return not ranks or ranks[0] == "0"
