"""Reads what a run left in its folder: report.json, config.yaml and frames/."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from raincheck.errors import InputError
from raincheck.evaluation.matrix import Matrix
from raincheck.metrics import METRICS

PICTURE = re.compile(r"(?P<task>.+)_(?P<frame>\d+)_(?P<kind>rainy|derained|clean)\.png")
PNG = b"\x89PNG\r\n\x1a\n"
Frames = dict[tuple[str, int], dict[str, bytes]]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        label: what tells this run from the others of a report.
        method: name of the method.
        seed: seed of the run, if it has one.
        tasks: names in learning order.
        matrices: R by metric, the protocol's metrics first.
        parameters: of the network.
        review_bytes: what the method keeps of old tasks' data.
        train_seconds: wall time of training.
        config: the text of config.yaml, empty if there is none.
        data: what a reader of scores must know about a task's data, by task.
        frames: PNG files by (task, frame) and by kind: `rainy`, `derained`, `clean`.
    """

    label: str
    method: str
    seed: int | None
    tasks: tuple[str, ...]
    matrices: Mapping[str, Matrix]
    parameters: int | None
    review_bytes: int | None
    train_seconds: float | None
    config: str
    data: Mapping[str, Sequence[str]]
    frames: Frames


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Reads runs and labels them: by method, and by seed and folder as far as the methods are not different.

    Raises:
        InputError: if there is no folder, or one has no valid report.json.
    """
    if not folders:
        raise InputError("no run folders were given to report on; give at least one DIR of a finished run")
    runs = [read_run(folder) for folder in folders]
    for parts in ([f"seed {run.seed}" for run in runs], [str(folder) for folder in folders]):
        count = Counter(run.label for run in runs)
        runs = [
            replace(run, label=f"{run.label}, {part}") if count[run.label] > 1 else run
            for run, part in zip(runs, parts, strict=True)
        ]
    return runs


def read_run(folder: Path) -> Run:
    """Reads one run.

    Raises:
        InputError: if report.json is missing, unreadable, or not what `raincheck run` writes; or another file of the
            folder cannot be read.
    """
    path = folder / "report.json"
    if not path.is_file():
        raise InputError(f"no report.json in {folder}; give the folder of a finished `raincheck run`")
    try:
        report = json.loads(_text(path))
        _check(report)
        tasks = tuple(report["tasks"])
        metrics = {name: report["metrics"][name]["R"] for name in report["metrics"]}
    except (json.JSONDecodeError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is no report of `raincheck run` ({error}); run it again or leave it out") from None
    return Run(
        label=report["method"],
        method=report["method"],
        seed=report.get("seed"),
        tasks=tasks,
        matrices={name: _matrix(path, name, tasks, metrics[name]) for name in in_order(metrics)},
        parameters=report.get("parameters"),
        review_bytes=report.get("review_bytes"),
        train_seconds=report.get("train_seconds"),
        config=_text(folder / "config.yaml") if (folder / "config.yaml").is_file() else "",
        data=report.get("data", {}),
        frames=read_frames(folder / "frames", tasks),
    )


def in_order(names: Mapping[str, Any]) -> list[str]:
    """Names of metrics, those of the catalogue first and in its order."""
    return [name for name in METRICS if name in names] + [name for name in names if name not in METRICS]


def read_frames(folder: Path, tasks: Sequence[str] = ()) -> Frames:
    """Before/after pictures `{task}_{frame}_{kind}.png`; nothing if there is no such folder.

    Args:
        folder: where the pictures are.
        tasks: names to find again in file names, where what a file name should not hold has become a hyphen.

    Raises:
        InputError: if a file of such a name cannot be read or is no PNG.
    """
    frames: Frames = {}
    names = {re.sub(r"[^\w.-]", "-", task): task for task in tasks}
    for path in sorted(folder.glob("*.png")):
        if match := PICTURE.fullmatch(path.name):
            try:
                content = path.read_bytes()
            except OSError as error:
                raise InputError(f"cannot read {path} ({error.strerror}); make it readable or remove it") from None
            if not content.startswith(PNG):
                raise InputError(f"{path} is no PNG image; remove it or run again")
            frames.setdefault((names.get(match["task"], match["task"]), int(match["frame"])), {})[match["kind"]] = (
                content
            )
    return frames


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
        raise TypeError("data are no lists of notes by task")
    for name in ("seed", "parameters", "review_bytes", "train_seconds"):
        if not isinstance(report.get(name), int | float | None):
            raise TypeError(f"{name} is not a number")


def _matrix(path: Path, metric: str, tasks: Sequence[str], rows: Any) -> Matrix:
    higher = METRICS[metric].higher_is_better if metric in METRICS else True
    try:
        return Matrix.from_json({"tasks": tasks, "R": rows, "higher_is_better": higher})
    except InputError as error:
        raise InputError(f"{path}, {metric}: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path} ({error}); make it a readable text file") from None
