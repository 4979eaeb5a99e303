"""Which source made a run, and which machine."""

import os
import platform
import re
import subprocess
from pathlib import Path

import torch

import raincheck

CPUINFO = Path("/proc/cpuinfo")  # on Linux


def commit() -> str | None:
    """The git commit of the checkout that raincheck was imported from, `-dirty` if it was changed since.

    None without git, and where the package is installed: a repository around an environment is not its source.
    """
    source = Path(raincheck.__file__)
    git = ["git", "-C", str(source.parent)]
    try:
        subprocess.run([*git, "ls-files", "--error-unmatch", source.name], check=True, capture_output=True)
        command = [*git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def machine(device: torch.device) -> str:
    """What training times are about: system, processor, cores and, where training was on one, the GPU."""
    parts = [f"{platform.system()} {platform.machine()}", processor(), f"{os.cpu_count()} cores"]
    parts += [torch.cuda.get_device_name(device)] if device.type == "cuda" else []
    return ", ".join(part for part in parts if part)


def processor() -> str:
    """The processor's model name; empty where the system does not tell it, as Linux on many ARM processors."""
    if platform.system() == "Darwin":
        return _said_by("sysctl", "-n", "machdep.cpu.brand_string")
    if CPUINFO.exists():
        found = re.search(r"^model name\s*:(.*)$", CPUINFO.read_text(errors="replace"), re.MULTILINE)
        return " ".join(found[1].split()) if found else ""
    return platform.processor() if platform.system() == "Windows" else ""


def _said_by(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
