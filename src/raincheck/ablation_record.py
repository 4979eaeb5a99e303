"""What grids found, kept as one JSON line a run, so that it outlives the runs' folders and travels between machines."""

import fcntl
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from raincheck.errors import ConfigError, OutputError
from raincheck.tracking.origin import commit

Line = dict[str, Any]
NEEDED = {"id", "cell", "order", "seed", "report"}


@dataclass
class Record:
    """A file of JSON lines, one a finished run.

    A line holds `id` (see `raincheck.config.identity`), `cell`, `order`, `seed`, the run's `report`, and where it comes
    from: `date`, `commit`, `machine` and `threads`. The order of lines means nothing, so that the files of two machines
    are put together by joining them.

    Args:
        path: the file; it need not exist. None keeps lines in memory alone.
    """

    path: Path | None

    def __post_init__(self) -> None:
        """Reads what is there.

        Raises:
            ConfigError: naming the line that is none of a record.
        """
        self.lines: dict[str, Line] = {}
        self.commit = commit()
        text = self.path.read_text(encoding="utf-8") if self.path is not None and self.path.exists() else ""
        for number, line in enumerate(text[: text.rfind("\n") + 1].splitlines(), start=1):
            try:
                content = json.loads(line)
                fits = isinstance(content, dict) and content.keys() >= NEEDED
            except json.JSONDecodeError:
                fits = False
            if not fits:
                raise ConfigError(f"{self.path}, line {number} is no line of a grid's record; correct or remove it")
            self.lines[content["id"]] = content

    def __contains__(self, identity: object) -> bool:
        return identity in self.lines

    def add(self, identity: str, cell: str, order: Sequence[int] | None, seed: int, report: Mapping[str, Any]) -> None:
        """Adds a run's line, unless it is there.

        Raises:
            OutputError: if it cannot be written.
        """
        if identity in self.lines:
            return
        self.lines[identity] = {
            "id": identity,
            "cell": cell,
            "order": None if order is None else list(order),
            "seed": seed,
            "report": dict(report),
            "date": datetime.now(UTC).date().isoformat(),
            "commit": self.commit,
            "machine": f"{platform.machine()}, {processor()}",
            "threads": torch.get_num_threads(),
        }
        if self.path is not None:
            try:
                _append(self.path, json.dumps(self.lines[identity]))
            except OSError as error:
                raise OutputError(f"cannot write {self.path}: {error.strerror}; choose another --record") from None


def _append(path: Path, line: str) -> None:
    """Adds a line after the last whole one: what a killed process may have left after that goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # another grid may have the same record
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def processor() -> str:
    """What computes: the GPU, or the CPU by the name that the system gives it."""
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    names = Path("/proc/cpuinfo")
    known = names.read_text(encoding="utf-8").splitlines() if names.exists() else []
    return next((line.split(":", 1)[1].strip() for line in known if line.startswith("model name")), "CPU")
