"""The processes that prepare a run's clips: how many there are, and what is said when one is killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from raincheck import processes
from raincheck.config import RunConfig
from raincheck.datasets.rendering.kept import keeping
from raincheck.errors import ConfigError

MOST = 8  # for one process that learns


@contextmanager
def workers(config: RunConfig, device: torch.device) -> Iterator[int]:
    """How many processes prepare clips for this one, which learns on `device`, meanwhile.

    Raises:
        ConfigError: if one of them is killed.
    """
    try:
        asked = config.workers
        yield usual(device, config.trainer.get("num_nodes", 1), keeping()) if asked is None else asked
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker (pid"):
            raise
        raise ConfigError(
            "a process that prepared clips was killed, perhaps for want of memory, or of shared memory in a container; "
            "give the same command again to go on, with --workers 0 if that was it"
        ) from None


def usual(device: torch.device, nodes: int = 1, keeping: bool = False) -> int:
    """How many processes prepare clips for this one where nobody says; see `RunConfig`.

    Args:
        device: where this process learns.
        nodes: machines that the learning processes are on, as many on each.
        keeping: whether what this process prepares itself saves work to the next run.
    """
    group = processes.joined()
    learning = group.size // nodes if group else 1
    # SLURM gives a task cores of its own.
    cores = int(os.environ.get("SLURM_CPUS_PER_TASK", "0")) or processes.cores() // learning
    if device.type != "cpu":
        return min(MOST, max(1, cores - 1))
    # On the CPU they take cores from training itself.
    return min(MOST, max(cores // 4, int(cores > 1 and not keeping)))
