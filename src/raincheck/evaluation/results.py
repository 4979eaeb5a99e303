"""What a run found, read from the content of its report.json."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raincheck.errors import InputError
from raincheck.evaluation.comparable import Setting
from raincheck.evaluation.costs import COSTS
from raincheck.evaluation.matrix import Matrix
from raincheck.metrics import METRICS
from raincheck.ways import WAYS, Learn

LARGEST = 1e40  # cost or seed: of larger ones no squares could be added up
# Control characters, which command terminals, and halves of UTF-16 pairs, which no file can hold.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Result:
    """What a run found.

    Attributes:
        name: of the row that the run belongs to: the cell of a grid, else the method.
        kind: what the row is: `cell` or `method`.
        method: name of the method.
        seed: seed of the run, if it has one.
        tasks: names in learning order.
        matrices: R by metric, the protocol's metrics first.
        costs: by name (see `raincheck.evaluation.costs`), None where unknown.
        learn: what is learned at a time; see `raincheck.ways`.
        setting: what decides whether scores can be compared; see `raincheck.evaluation.comparable`.
        machine: on which the run was, and which its training time is about; empty if unknown.
    """

    name: str
    kind: str
    method: str
    seed: int | None
    tasks: tuple[str, ...]
    matrices: Mapping[str, Matrix]
    costs: Mapping[str, float | None]
    learn: Learn
    setting: Setting
    machine: str

    @property
    def key(self) -> Hashable:
        """What a run must share with another method's to be its pair: seed and order."""
        return (self.seed, self.tasks)

    @property
    def is_bound(self) -> bool:
        """Whether methods are measured by it, instead of competing with it."""
        return WAYS[self.learn].is_bound


def read_result(report: Any, where: str) -> Result:
    """Reads what `raincheck run` writes; entries that older versions did not write may be missing.

    Args:
        report: the content of report.json, which may have another entry: `cell`, the row that the run belongs to.
        where: it comes from, for the error.

    Raises:
        InputError: if it is something else.
    """
    try:
        _check(report)
        tasks = tuple(report["tasks"])
        rows = {name: report["metrics"][name]["R"] for name in in_order(report["metrics"])}
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{where} is not a report of `raincheck run` ({error}); run it again or leave it out"
        ) from None
    matrices = {name: read_matrix(where, name, tasks, matrix) for name, matrix in rows.items()}
    learn = report.get("learn") or _way(next(iter(matrices.values())), report["method"])
    costs = {name: report.get(name) for name in COSTS}
    return Result(
        name=report.get("cell", report["method"]),
        kind="cell" if "cell" in report else "method",
        method=report["method"],
        seed=report.get("seed"),
        tasks=tasks,
        matrices=matrices,
        costs=costs | ({"memory_bytes": None} if WAYS[learn].keeps_all else {}),
        learn=learn,
        setting=report.get("setting", {}),
        machine=report.get("machine", ""),
    )


def printable(content: Any) -> Any:
    """What a JSON file holds, with U+FFFD in place of each character of its texts that cannot be shown."""
    if isinstance(content, dict):
        return {printable(key): printable(inner) for key, inner in content.items()}
    if isinstance(content, list):
        return [printable(inner) for inner in content]
    return UNPRINTABLE.sub("\ufffd", content) if isinstance(content, str) else content


def in_order(names: Iterable[str]) -> list[str]:
    """Names of metrics, each once, those of the catalogue first and in its order."""
    given = dict.fromkeys(names)
    return [name for name in METRICS if name in given] + [name for name in given if name not in METRICS]


def _way(matrix: Matrix, method: str) -> Learn:
    """How a run of an older version learned, told by what its matrix leaves undefined."""
    n, rows = len(matrix.tasks), matrix.rows
    if n == 1:
        named: dict[str, Learn] = {"joint": "joint", "individual": "individual"}
        return named.get(method, "in_turn")
    if all(score is None for row in rows[1:n] for score in row):
        return "joint"
    return "individual" if matrix.of_experts else "in_turn"


KINDS: dict[str, Any] = dict.fromkeys(("seed", *COSTS), int | float | None) | {
    "learn": str | None,
    "cell": str,
    "machine": str,
    "setting": dict,
    "versions": dict,
    "commit": str | None,
}


def _check(report: Any) -> None:
    """Refuses what is not the shape of a report.

    Raises:
        TypeError: naming the entry that does not fit.
    """
    if not isinstance(report, dict):
        raise TypeError("not an object")
    tasks, metrics = report["tasks"], report["metrics"]
    if not isinstance(report["method"], str):
        raise TypeError("method is not a text")
    if not isinstance(tasks, list) or not all(isinstance(task, str) for task in tasks):
        raise TypeError("tasks are not a list of texts")
    if not isinstance(metrics, dict) or not metrics:
        raise TypeError("there are no metrics")
    data = report.get("data", {})
    if not isinstance(data, dict) or not all(isinstance(notes, list) for notes in data.values()):
        raise TypeError("data does not map tasks to lists of notes")
    for name, kind in KINDS.items():
        if name in report and not isinstance(report[name], kind):
            raise TypeError(f"{name} is {report[name]!r}")
    if report.get("learn") not in (None, *WAYS):
        raise TypeError(f"learn is {report['learn']!r}, not one of {', '.join(WAYS)}")
    for name in ("seed", *COSTS):
        if not abs(report.get(name) or 0) <= LARGEST:
            raise TypeError(f"{name} is not a number, or larger than {LARGEST:g}")


def read_matrix(where: str, metric: str, tasks: Sequence[str], rows: Any) -> Matrix:
    """R of a metric as report.json holds it; of metrics that the catalogue does not have higher is taken for better.

    Args:
        where: it comes from, for the error.
        metric: its name.
        tasks: names in learning order.
        rows: lists of scores and nulls.

    Raises:
        InputError: if the rows are no matrix.
    """
    higher = METRICS[metric].higher_is_better if metric in METRICS else True
    try:
        return Matrix.from_json({"tasks": tasks, "R": rows, "higher_is_better": higher})
    except InputError as error:
        raise InputError(f"{where}, {metric}: {error}") from None
