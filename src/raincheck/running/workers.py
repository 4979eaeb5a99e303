"""The processes that prepare a run's clips: how many there are, and what is said when one is killed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from raincheck.config import RunConfig
from raincheck.datasets.rendering.kept import keeping
from raincheck.errors import ConfigError
from raincheck.processes import helpers, joined


@contextmanager
def workers(config: RunConfig, device: torch.device) -> Iterator[int]:
    """How many processes prepare clips for this one, which learns on `device`, meanwhile.

    Raises:
        ConfigError: if one of them is killed.
    """
    group, nodes = joined(), config.trainer.get("num_nodes", 1)  # as many processes on each
    try:
        usual = helpers(device.type, group.size // nodes if group else 1, keeping())
        yield usual if config.workers is None else config.workers
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker (pid"):
            raise
        raise ConfigError(
            "a process that prepared clips was killed, perhaps for want of memory, or of shared memory in a container; "
            "give the same command again to go on, with --workers 0 if that was it"
        ) from None
