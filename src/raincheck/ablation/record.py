"""What grids found, kept as one JSON line a run, so that it outlives the runs' folders and travels between machines."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raincheck.ablation.plan import Planned
from raincheck.errors import ConfigError, OutputError
from raincheck.files import lock

Line = dict[str, Any]
OWN = ("id", "grid", "cell", "order")  # what a line holds besides a report
BEGIN = b'{"id": '  # of every line


@dataclass
class Record:
    """A file of JSON lines, one a finished run.

    A line holds all of the run's report.json, and `id` (see `raincheck.running.identity`), `grid`, `cell` and `order`.
    The order of lines means nothing: the files of two machines are put together by joining them.

    Args:
        path: the file; it need not exist. None keeps lines in memory alone.
    """

    path: Path | None

    def __post_init__(self) -> None:
        """Reads what is there.

        Raises:
            ConfigError: if the file cannot be read, or naming the line that is none of a record.
        """
        self.lines: dict[str, Line] = {}
        try:
            text = _whole(self.path.read_bytes()).decode() if self.path is not None and self.path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the record {self.path} ({error}); choose another --record") from None
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue  # files that were joined by hand
            try:
                content = json.loads(line)
                fits = (
                    isinstance(content, dict) and content.keys() >= {*OWN, "metrics"} and isinstance(content["id"], str)
                )
            except (ValueError, RecursionError):
                fits = False
            if not fits:
                raise ConfigError(f"{self.path}, line {number} is not a line of a grid's record; correct or remove it")
            self.lines[content["id"]] = content

    def __contains__(self, identity: object) -> bool:
        return identity in self.lines

    def add(self, grid: str, one: Planned, report: Mapping[str, Any]) -> None:
        """Adds the line of a run of a grid, unless it is there.

        Raises:
            OutputError: if it cannot be written.
        """
        if one.identity in self.lines:
            return
        self.lines[one.identity] = {
            "id": one.identity,
            "grid": grid,
            "cell": one.cell,
            "order": None if one.order is None else list(one.order),
            **report,
        }
        if self.path is not None:
            try:
                _append(self.path, json.dumps(self.lines[one.identity]))
            except OSError as error:
                raise OutputError(f"cannot write {self.path}: {error.strerror}; choose another --record") from None

    def report(self, identity: str) -> dict[str, Any]:
        """The report of a run that is in the record."""
        return {name: value for name, value in self.lines[identity].items() if name not in OWN}


def _append(path: Path, line: str) -> None:
    """Adds a line after the last whole one: what a killed process may have left after that goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        lock(file.fileno(), wait=True)  # another grid may have the same record
        file.seek(0)
        kept = _whole(file.read())
        file.truncate(len(kept))
        begun = b"" if kept.endswith(b"\n") or not kept else b"\n"
        file.write(begun + f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def _whole(content: bytes) -> bytes:
    """Lines without what a killed process left of the last, which is no JSON; a whole one need have no end of line."""
    end = content.rfind(b"\n") + 1
    last = content[end:]
    try:
        json.loads(last)
    except (ValueError, RecursionError):
        ours = last.startswith(BEGIN) or BEGIN.startswith(last)  # else it is a file of another kind, and stays
        return content[:end] if ours else content
    return content
