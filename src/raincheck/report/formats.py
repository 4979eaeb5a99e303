"""The same tables for the terminal, as CSV, Markdown and LaTeX."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from raincheck.errors import ConfigError
from raincheck.evaluation.costs import COSTS
from raincheck.evaluation.ranking import Ranking, Row
from raincheck.evaluation.scores import COLUMNS
from raincheck.evaluation.statistics import Estimate
from raincheck.files import write_result
from raincheck.report.tables import Part, notes, parts

NAME = 24  # characters of a line of a name, where there is little room
BOUNDLESS = 10_000  # characters
TESTS = ("", " ±", " pairs", " p", " p Holm", " p Wilcoxon")
LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",  # by itself a dash in TeX's own fonts, as the two before are other signs
    "±": r"$\pm$",
    "−": "$-$",
    "–": "--",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}


def as_table(ranking: Ranking, title: str = "") -> Group:
    """For the terminal."""
    tables: list[Fitting] = []
    for part in parts(ranking):
        # Text, not str: rich would take a name such as "[red]" for markup.
        table = Table(title=Text(_titled(title, part.caption)), box=SIMPLE, padding=(0, 1, 0, 0))
        table.add_column(Text(part.headings[0]), overflow="fold")
        for heading in part.headings[1:]:
            table.add_column(Text(heading), justify="right")
        for row in part.rows:
            table.add_row(*map(Text, row))
        tables.append(Fitting(table, min(NAME, max(len(row[0]) for row in part.rows))))
    return Group(*tables, *(Text(f"note: {note}") for note in notes(ranking)))


@dataclass
class Fitting:
    """A table, whose names are folded where the terminal has no room for it.

    A least width of the column would not do: rich takes room from the names first and gives it back at the end, so that
    the last columns would be cut off.

    Attributes:
        table: with names in the first column.
        width: of folded names, in characters.
    """

    table: Table
    width: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table."""
        needed = Measurement.get(console, options.update_width(BOUNDLESS), self.table).maximum
        self.table.columns[0].width = self.width if needed > options.max_width else None
        yield self.table


def as_csv(rankings: Sequence[Ranking]) -> str:
    """For other programs: one line a metric and row, every number in full, nothing where undefined."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    scored, priced = ([f"{name}{part}" for name in names for part in ("", " ±")] for names in (COLUMNS, COSTS))
    tested = [f"{name} less against{part}" for name in COLUMNS for part in TESTS]
    kind = "cell" if any(ranking.kind == "cell" for ranking in rankings) else "method"
    writer.writerow(["metric", kind, "runs", *scored, "against", *tested, *priced, "notes"])
    for ranking in rankings:
        for row in ranking.rows:
            writer.writerow([ranking.metric, row.name, row.runs, *_numbers(row, ranking), "; ".join(row.notes)])
    return file.getvalue()


def as_markdown(rankings: Sequence[Ranking], title: str = "") -> str:
    """For documents: a section a metric."""
    lines = []
    for ranking, shown in _tables(rankings):
        lines += [f"## {_markdown(_titled(title, ranking.metric))}", ""]
        for part in shown:
            lines += [_markdown(part.caption), "", _markdown_row(part.headings)]
            lines += [f"|---|{'---:|' * (len(part.headings) - 1)}", *map(_markdown_row, part.rows), ""]
        if notes(ranking):
            lines += [*(f"- {_markdown(note)}" for note in notes(ranking)), ""]
    return "\n".join(lines)


def as_latex(rankings: Sequence[Ranking], title: str = "") -> str:
    """For papers: some table environments a metric, with the rules of the package booktabs."""
    lines = ["% needs \\usepackage{booktabs}"]
    for ranking, shown in _tables(rankings):
        for part in shown:
            lines += _latex_table(part, title)
        lines += [f"% {' '.join(note.split())}" for note in notes(ranking)]
    return "\n".join(lines) + "\n"


WRITERS = {
    ".csv": lambda rankings, title: as_csv(rankings),
    ".md": as_markdown,
    ".tex": as_latex,
}


def write_table(rankings: Sequence[Ranking], path: Path, title: str = "") -> None:
    """Writes rankings, such as one a metric, in the format that the file's suffix names.

    Raises:
        ConfigError: if the suffix is none of .csv, .md and .tex.
        OutputError: if the file cannot be written.
    """
    if path.suffix not in WRITERS:
        raise ConfigError(f"{path} does not name a table; end it with {', '.join(WRITERS)}")
    write_result(path, WRITERS[path.suffix](rankings, title))


def _tables(rankings: Sequence[Ranking]) -> Iterator[tuple[Ranking, list[Part]]]:
    """Tables for people: costs, which are the same in all metrics, stand with the first that has the rows."""
    shown: dict[str, Mapping[str, Estimate]] = {}
    for ranking in rankings:
        rows = {row.name: row.costs for row in ranking.rows}
        yield ranking, parts(ranking, priced=not rows.items() <= shown.items())
        shown |= rows


def _numbers(row: Row, ranking: Ranking) -> list[float | str | None]:
    means = [part for name in COLUMNS for part in (row.scores[name].mean, row.scores[name].half)]
    prices = [part for name in COSTS for part in (row.costs[name].mean, row.costs[name].half)]
    if not row.differences:
        return [*means, *[None] * (1 + len(COLUMNS) * len(TESTS)), *prices]
    found = [row.differences[name] for name in COLUMNS]
    tests = [(d.effect.mean, d.effect.half, d.pairs, d.t_test, d.holm, d.wilcoxon) for d in found]
    return [*means, ranking.against, *(number for test in tests for number in test), *prices]


def _titled(title: str, caption: str) -> str:
    return f"{title}: {caption}" if title else caption


def _markdown_row(texts: Sequence[str]) -> str:
    return f"| {' | '.join(map(_markdown, texts))} |"


def _markdown(text: str) -> str:
    """A text that shows as it is: no markup, no HTML, and within one cell."""
    return re.sub(r"([\\`*_\[\]<>|&#~$])", r"\\\1", " ".join(text.split()))


def _latex_table(part: Part, title: str) -> list[str]:
    return [
        "\\begin{table}",
        f"\\caption{{{_latex(_titled(title, part.caption))}}}",
        f"\\begin{{tabular}}{{l{'r' * (len(part.headings) - 1)}}}",
        "\\toprule",
        _latex_row(part.headings),
        "\\midrule",
        *map(_latex_row, part.rows),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]


def _latex_row(texts: Sequence[str]) -> str:
    row = " & ".join(map(_latex, texts))
    # The command before, \\ or \midrule, would take these for its own arguments.
    return f"{'{}' if row.startswith(('[', '*')) else ''}{row} \\\\"


def _latex(text: str) -> str:
    return "".join(LATEX.get(sign, sign) for sign in " ".join(text.split()))
