"""What a machine leaves to a process."""

import os

MOST = 8  # processes that prepare clips for one that learns


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def helpers(device: str, learning: int = 1, keeping: bool = False) -> int:
    """How many processes prepare clips for this one where nobody says; see `config.RunConfig`.

    Args:
        device: the type of that where this process learns, such as `cpu`.
        learning: processes on this machine that do.
        keeping: whether what this process prepares itself saves work to the next run.
    """
    # SLURM gives a task cores of its own.
    own = int(os.environ.get("SLURM_CPUS_PER_TASK", "0")) or cores() // learning
    if device != "cpu":
        return min(MOST, max(1, own - 1))
    # On the CPU they take cores from training itself.
    return min(MOST, max(own // 4, int(own > 1 and not keeping)))
