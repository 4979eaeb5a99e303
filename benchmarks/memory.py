"""How much memory this process takes."""

import resource
import sys
from collections.abc import Sequence
from pathlib import Path


def most_resident() -> float:
    """The most memory that was resident since the last call, in MB; since the beginning where it cannot be reset."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: on Linux its peak outlives exec, so it may be the parent's.
        peak = float(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
        Path("/proc/self/clear_refs").write_text("5")
        return peak
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def resident() -> float:
    """The memory that is resident now, in MB; the most so far where that is not to be had."""
    status = Path("/proc/self/status")
    if status.exists():
        return float(status.read_text().split("VmRSS:")[1].split()[0]) * 1024 / 1e6
    return most_resident()


def proportional(processes: Sequence[int]) -> float:
    """The memory of several processes in MB, what they share counted once; NaN where that is not to be had."""
    total = 0.0
    for process in processes:
        rollup = Path(f"/proc/{process}/smaps_rollup")
        if not rollup.exists():
            return float("nan")
        total += float(rollup.read_text().split("\nPss:")[1].split()[0]) * 1024 / 1e6
    return total
