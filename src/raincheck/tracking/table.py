"""metrics.csv: one table for a whole run, however often it was stopped and went on."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from lightning.pytorch.utilities import rank_zero_only

from raincheck.errors import OutputError
from raincheck.files import write_text
from raincheck.tracking.base import Tracker

Row = dict[str, str | float]


class TableTracker(Tracker):
    """Adds a row for everything that is logged, and when it is closed makes it one row a step, in order.

    Lightning's own CSVLogger begins a new file in a new folder when a run goes on. Here a run that goes on keeps the
    rows of the earlier process; of what both have logged, the later value counts.

    Args:
        path: the file; it and its folder appear with the first row.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._columns: list[str] = []
        self._file: TextIO | None = None

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Adds a row.

        Raises:
            OutputError: if it cannot be written.
        """
        row: Row = {"step": step or 0, **metrics}
        with self._reported():
            if self._file is None or not row.keys() <= set(self._columns):
                self._rewrite(row)
                self._file = self.path.open("a", encoding="utf-8", newline="")
            csv.DictWriter(self._file, self._columns, lineterminator="\n").writerow(row)

    def save(self) -> None:
        """Hands what was logged to the operating system: it outlives the process now.

        Raises:
            OutputError: if it cannot be written.
        """
        if self._file is not None:
            with self._reported():
                self._file.flush()

    def close(self, finished: bool) -> None:
        """Puts the table in order and closes it."""
        if self._file is not None:
            with self._reported():
                self._rewrite({})
            self._file = None

    def _rewrite(self, new: Row) -> None:
        """Writes the file anew, one row a step and with columns for `new`, whole or not at all."""
        self.path.parent.mkdir(exist_ok=True)
        if self._file is not None:
            self._file.close()
        rows = read_rows(self.path)
        self._columns = list(dict.fromkeys(["step", *(name for row in rows for name in row), *self._columns, *new]))
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.path, text.getvalue())

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}; choose a place with free space") from None


def read_rows(path: Path) -> list[dict[str, str]]:
    """What a table says at each step, in order; nothing if there is no file, or it is not one of ours.

    A last line without an end is left out: the process was killed while it wrote that.
    """
    if not path.exists():
        return []
    text = path.read_bytes().decode("utf-8", errors="replace")
    return merged(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1], newline="")))


def merged(rows: Iterable[dict[str, str | None]]) -> list[dict[str, str]]:
    """One row a step, without empty entries; later entries count."""
    steps: dict[int, dict[str, str]] = {}
    for row in rows:
        if (step := row.get("step") or "").isdigit():
            steps.setdefault(int(step), {}).update({name: text for name, text in row.items() if text and name})
    return [steps[step] for step in sorted(steps)]
