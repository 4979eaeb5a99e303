"""The HTML report: one file that needs no network, no script and no other file."""

import os
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from raincheck.errors import OutputError
from raincheck.evaluation import average, bwt, forgetting, fwt, gap
from raincheck.evaluation.matrix import Matrix, Score
from raincheck.report import curves, numbers
from raincheck.report.heatmap import Heatmap, heatmap, ranges
from raincheck.report.reading import Run, in_order, read_runs

REFERENCES = ("joint", "individual")  # bounds to measure methods by, no methods that learn task after task


@dataclass(frozen=True)
class Value:
    """A number in a table, and whether it is the best of its column."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class MetricSection:
    """All that the page shows of one metric: the scores of each run, matrices and curves."""

    name: str
    unit: str
    higher_is_better: bool
    columns: list[str]
    table: list[tuple[str, list[Value]]]
    heatmaps: list[Heatmap]
    charts: list[curves.Chart]


@dataclass(frozen=True)
class Comparison:
    """The same frame rainy, derained by each run, and clean: captions and `data:` addresses."""

    task: str
    frame: int
    pictures: list[tuple[str, str]]


def write_report(run_dirs: Sequence[Path], out: Path, title: str = "Learning rain after rain") -> None:
    """Writes one self-contained HTML file about one or more finished runs.

    Args:
        run_dirs: folders that `raincheck run` wrote: report.json, and config.yaml and frames/ where present.
        out: the HTML file; replaced if it exists, whole or not at all.
        title: the page's heading.

    Raises:
        InputError: if there is no folder, or one holds no valid report.json.
        OutputError: if the file cannot be written.
    """
    page = render(read_runs(run_dirs), title)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page, encoding="utf-8")
        partial.replace(out)
    except OSError as error:
        if partial.is_file():
            partial.unlink()
        raise OutputError(f"cannot write the report {out} ({error.strerror}); choose a writable file name") from None


def render(runs: Sequence[Run], title: str) -> str:
    """The page's HTML. Every text from a run is escaped by the template."""
    template = (resources.files("raincheck.report") / "page.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    names = in_order({name: None for run in runs for name in run.matrices})
    return environment.from_string(template).render(
        title=title,
        runs=runs,
        sections=[metric_section(runs, name) for name in names],
        costs=[(run.label, costs(run)) for run in runs],
        comparisons=comparisons(runs),
        data=dict.fromkeys((task, str(note)) for run in runs for task, notes in run.data.items() for note in notes),
        chart=curves,
    )


def metric_section(runs: Sequence[Run], metric: str) -> MetricSection:
    """Tables, matrices and curves of one metric, over the runs that have it."""
    runs = [run for run in runs if metric in run.matrices]
    scale = ranges(runs, metric)
    higher = numbers.higher_is_better(metric)
    scorers: list[tuple[str, Callable[[Matrix], Score], bool]] = [
        ("average", average, higher),
        ("forgetting", forgetting, False),
        ("BWT", bwt, True),
        ("FWT", fwt, True),
        *((f"gap to {run.label}", _gap_to(run.matrices[metric]), False) for run in runs if run.method in REFERENCES),
    ]
    columns = [_column(runs, metric, name, scorer, up) for name, scorer, up in scorers]
    return MetricSection(
        metric,
        numbers.unit(metric),
        higher,
        [name for name, _, _ in scorers],
        [(run.label, [column[i] for column in columns]) for i, run in enumerate(runs)],
        [heatmap(run.label, run.matrices[metric], metric, scale) for run in runs],
        curves.charts(runs, metric),
    )


def costs(run: Run) -> list[str]:
    """Parameters, review memory and training time of a run, as texts."""
    return [numbers.count(run.parameters), numbers.size(run.review_bytes), numbers.duration(run.train_seconds)]


def comparisons(runs: Sequence[Run]) -> list[Comparison]:
    """Before/after pictures; runs that derained the very same frame stand side by side."""
    groups: dict[tuple[str, int, bytes, bytes], list[tuple[str, bytes]]] = {}
    for run in runs:
        for (task, frame), kinds in run.frames.items():
            key = (task, frame, kinds.get("rainy", b""), kinds.get("clean", b""))
            shown = groups.setdefault(key, [])
            if "derained" in kinds:
                shown.append((run.label, kinds["derained"]))
    order = list(dict.fromkeys(task for run in runs for task in run.tasks))
    found = []
    for (task, frame, rainy, clean), derained in groups.items():
        pictures = [("rainy", rainy), *derained, ("clean", clean)]
        shown_as = [(caption, _data(picture)) for caption, picture in pictures if picture]
        found.append(Comparison(task, frame, shown_as))
    return sorted(found, key=lambda c: (order.index(c.task) if c.task in order else len(order), c.task, c.frame))


def _column(
    runs: Sequence[Run], metric: str, name: str, scorer: Callable[[Matrix], Score], higher: bool
) -> list[Value]:
    """One score of each run, the best of the methods marked where there are several to choose from."""
    scores = [scorer(run.matrices[metric]) for run in runs]
    rivals = [s for s, run in zip(scores, runs, strict=True) if s is not None and run.method not in REFERENCES]
    best = (max if higher else min)(rivals) if len(rivals) > 1 else None
    write = numbers.score if name == "average" else numbers.change
    marked = [s is not None and s == best and run.method not in REFERENCES for s, run in zip(scores, runs, strict=True)]
    return [Value(write(s, metric), mark) for s, mark in zip(scores, marked, strict=True)]


def _gap_to(reference: Matrix) -> Callable[[Matrix], Score]:
    def scorer(matrix: Matrix) -> Score:
        comparable = matrix is not reference and set(matrix.tasks) == set(reference.tasks)
        return gap(matrix, reference) if comparable else None

    return scorer


def _data(picture: bytes) -> str:
    return f"data:image/png;base64,{b64encode(picture).decode('ascii')}"
