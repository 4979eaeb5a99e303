"""Finds finished runs, and reads what each left: report.json, config.yaml and frames/."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from raincheck.errors import InputError
from raincheck.evaluation.file_names import file_names
from raincheck.evaluation.results import Result, printable, read_result
from raincheck.report.runs import Frames, Run, labelled, named_apart

PICTURE = re.compile(r"(?P<task>.+)_(?P<frame>\d+)_(?P<kind>rainy|derained|clean)\.png")
AGAIN = "run it again or leave it out"
CUT = "if it was cut short by a power failure, give the command again that adds to the file, or remove the line"
# Where a report really is: the file, without links, and the line, 0 for all of it; of a grid's record, the run's name.
Source = tuple[Path, int] | str


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Reads runs, and names them apart.

    Args:
        paths: folders of runs; folders with such below them, of which every one is read; .json files, each a report of
            a run; and .jsonl files with a report a line, which may have an entry `config`, the text of its
            configuration, and `id`: of lines with one id, as in records of two machines, the last counts.

    Raises:
        InputError: if there is no run, one has no valid report.json, or one is given twice.
    """
    if not paths:
        raise InputError("no run folders were given to report on; give at least one DIR of a finished run")
    runs: dict[Source, Run] = {}
    for path in paths:
        for source, run in _read(path):
            if source in runs and not isinstance(source, str):
                raise InputError(f"a run is given twice, as {runs[source].place} and {run.place}; leave one out")
            runs[source] = run
    return labelled(named_apart(list(runs.values())))


def read_run(folder: Path) -> Run:
    """Reads one run.

    Raises:
        InputError: if report.json is missing, unreadable, or not what `raincheck run` writes; or another file of the
            folder cannot be read.
    """
    path = folder / "report.json"
    config = folder / "config.yaml"
    run = _made(_json(_text(path), str(path)), str(path), str(folder), _text(config) if config.is_file() else "")
    return replace(run, frames=read_frames(folder / "frames", run.tasks))


def read_frames(folder: Path, tasks: Sequence[str] = ()) -> Frames:
    """Before/after pictures `{task}_{frame}_{kind}.png`; nothing if there is no such folder.

    Args:
        folder: where the pictures are.
        tasks: names to find again in file names, in learning order; see `raincheck.evaluation.file_names`.
    """
    frames: Frames = {}
    names = {name: task for task, name in file_names(tasks).items()}
    for path in sorted(folder.glob("*.png")):
        if match := PICTURE.fullmatch(path.name):
            frame = (names.get(match["task"], printable(match["task"])), int(match["frame"]))
            frames.setdefault(frame, {})[match["kind"]] = path
    return frames


def _read(path: Path) -> Iterator[tuple[Source, Run]]:
    if path.suffix == ".json":
        yield (path.resolve(), 0), _made(_json(_text(path), str(path)), str(path), str(path), "")
    elif path.suffix == ".jsonl":
        yield from _read_lines(path)
    elif (path / "report.json").is_file() and not _is_summary(path / "report.json"):
        yield ((path / "report.json").resolve(), 0), read_run(path)
    else:
        found = [below for below in sorted(path.glob("**/report.json")) if not _is_summary(below)]
        if not found:
            loose = f", or {path}/*.json if these are reports" if any(path.glob("*.json")) else ""
            raise InputError(f"no report.json in {path}; give the folder of a finished `raincheck run`{loose}")
        yield from (((below.resolve(), 0), read_run(below.parent)) for below in found)


def _read_lines(path: Path) -> Iterator[tuple[Source, Run]]:
    lines = _text(path).split("\n")  # `splitlines` parts texts too, at U+2028 and others
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = f"{path}, line {number}"
            report = _json(line, place, CUT if number == len(lines) else AGAIN)
            entries = report if isinstance(report, dict) else {}
            name = entries.get("id")
            source = name if isinstance(name, str) else (path.resolve(), number)
            yield source, _made(report, place, place, str(entries.get("config") or ""))


def _is_summary(path: Path) -> bool:
    """Whether the file repeats the reports of runs below it, as the demonstration's does."""
    report = _json(_text(path), str(path))
    return isinstance(report, dict) and "runs" in report and "metrics" not in report


def _made(report: Any, where: str, place: str, config: str) -> Run:
    result = read_result(report, where)
    known = {field.name: getattr(result, field.name) for field in fields(Result)}
    return Run(
        **known,
        label=result.name,
        place=printable(place),
        config=config,
        data=report.get("data", {}),
        versions=report.get("versions", {}),
        commit=report.get("commit") or "",
        frames={},
    )


def _json(text: str, where: str, advice: str = AGAIN) -> Any:
    try:
        return printable(json.loads(text))
    except (ValueError, RecursionError) as error:  # ValueError also for whole numbers of thousands of digits
        raise InputError(f"{where} is not a report of `raincheck run` ({error}); {advice}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path} ({error}); make it a readable text file") from None
