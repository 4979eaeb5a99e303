"""Finished runs as a report shows them, and what each is called there."""

from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from raincheck.evaluation.results import Result
from raincheck.evaluation.rows import same_row

Frames = dict[tuple[str, int], dict[str, Path]]


@dataclass(frozen=True)
class Run(Result):
    """A finished run.

    Attributes:
        label: what tells this run from the others of a report.
        place: where it was read from.
        config: the text of config.yaml, empty if there is none.
        data: what a reader of scores must know about a task's data, by task.
        versions: of packages, by name.
        commit: of raincheck's source, empty if unknown.
        frames: PNG files by (task, frame) and by kind: `rainy`, `derained`, `clean`.
    """

    label: str
    place: str
    config: str
    data: Mapping[str, Sequence[str]]
    versions: Mapping[str, str]
    commit: str
    frames: Frames

    @property
    def config_base64(self) -> str:
        """The configuration as an address can hold it."""
        return b64encode(self.config.encode()).decode("ascii")


def named_apart(runs: Sequence[Run]) -> list[Run]:
    """Adds a place to the row's name, where runs of one name are no seeds and orders of one thing.

    Runs of one setting stay a row, which has the place of its first; those of the same seed and order are rows each.
    """
    rows: dict[str, list[list[Run]]] = {}
    for run in runs:
        settings = rows.setdefault(run.name, [])
        row = next((row for row in settings if same_row(run, row[0])), None)
        if row is None:
            settings.append(row := [])
        row.append(run)
    names: dict[int, str] = {}
    for name, settings in rows.items():
        for row in settings:
            if len({run.key for run in row}) < len(row):
                names |= {id(run): f"{name}, {run.place}" for run in row}
            elif len(settings) > 1:
                more = f" and {len(row) - 1} more" if row[1:] else ""
                names |= {id(run): f"{name}, {row[0].place}{more}" for run in row}
    return [replace(run, name=names.get(id(run), run.name)) for run in runs]


def labelled(runs: Sequence[Run]) -> list[Run]:
    """Labels runs by row, and by seed and order as far as these differ."""
    runs = [replace(run, label=run.name) for run in runs]
    for parts in ([f"seed {run.seed}" for run in runs], [" → ".join(run.tasks) for run in runs]):
        count = Counter(run.label for run in runs)
        runs = [
            replace(run, label=f"{run.label}, {part}") if count[run.label] > 1 else run
            for run, part in zip(runs, parts, strict=True)
        ]
    return list(runs)
