"""Which source made a run."""

import subprocess
from pathlib import Path

import raincheck


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
