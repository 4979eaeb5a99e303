"""How much memory is free on a device."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import torch

UNKNOWN = 4 * 2**30  # bytes assumed to be free where the system does not say


class Accounts(NamedTuple):
    """Where a version of Linux's control groups says what memory a group may have, and has.

    Attributes:
        own: finds the path of a process's group in its /proc/self/cgroup.
        mount: below /sys/fs/cgroup.
        limit: a file of the group's folder.
        usage: another; it counts the cache of files that were read or written.
        cache: what memory.stat calls the part of that which the kernel gives up first, in the group and those below.
    """

    own: str
    mount: str
    limit: str
    usage: str
    cache: str


VERSIONS = (
    Accounts(r"^0::/(.*)$", "", "memory.max", "memory.current", "inactive_file"),
    Accounts(
        r"^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:/(.*)$",
        "memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)


def ran_out(error: BaseException) -> bool:
    """Whether an error of torch's says that a device's memory is full; a CPU's is a plain RuntimeError."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator: can't allocate memory" in str(error)


def free_bytes(device: torch.device) -> float:
    """Bytes of memory that are free on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    limits = [available(), *cgroup_rooms(Path("/sys/fs/cgroup"), own_groups()), address_room()]
    return min((limit for limit in limits if limit is not None), default=UNKNOWN)


def available() -> float | None:
    """What Linux says that programs can have without swapping; elsewhere what is unused."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])
    with suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def own_groups() -> str:
    """In which control groups this process is, as Linux writes it; empty elsewhere."""
    with suppress(OSError):
        return Path("/proc/self/cgroup").read_text()
    return ""


def cgroup_rooms(folder: Path, groups: str) -> list[float]:
    """What the limits of control groups leave, of a process's own group and of all that it lies in.

    Args:
        folder: where the groups are mounted.
        groups: as `own_groups`. Within a container its own group can be the mounted one, whatever its path is outside.
    """
    rooms: list[float] = []
    for version in VERSIONS:
        own = re.search(version.own, groups, re.MULTILINE)
        root = folder / version.mount
        group = root / own[1] if own else root
        inside = group.parts[len(root.parts) :]
        for depth in range(len(inside) + 1):
            with suppress(OSError, ValueError):  # not there, or "max"
                rooms.append(room_in(root.joinpath(*inside[:depth]), version))
    return rooms


def room_in(group: Path, version: Accounts) -> float:
    """What a group's limit leaves.

    Raises:
        OSError: if there is no such group.
        ValueError: if it has no limit.
    """
    limit, usage = (int((group / name).read_text()) for name in (version.limit, version.usage))
    return limit - usage + sum(caches(group / "memory.stat", version.cache))


def caches(statistics: Path, name: str) -> Iterator[int]:
    """The bytes of that name, where they are said."""
    with suppress(OSError):
        for line in statistics.read_text().splitlines():
            if line.startswith(f"{name} "):
                yield int(line.split()[1])


def address_room() -> float | None:
    """What a limit on the address space (`ulimit -v`) leaves."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            return limit - pages * resource.getpagesize()
    return None
