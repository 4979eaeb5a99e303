"""`raincheck data check`: which published data sets lie under a folder, and whether they are as published."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from raincheck.data.comparison import compare, shown
from raincheck.data.findings import Finding, Kind, SplitReport
from raincheck.data.looking import Looker
from raincheck.datasets.published import catalogue, locate
from raincheck.errors import InputError

EXAMPLES = 3  # places that are named for each kind of finding


@dataclass(frozen=True)
class SetReport:
    """One data set, in one form, in one place; with differences of its own besides those of its splits."""

    name: str
    place: Path
    splits: list[SplitReport]
    findings: list[Finding] = field(default_factory=list)

    @property
    def parts(self) -> list[tuple[str, list[Finding]]]:
        """All differences, by the part that they are of."""
        return [("all", self.findings), *((split.split.name, split.findings) for split in self.splits)]

    @property
    def verdict(self) -> str:
        """One sentence."""
        # Videos that share a clean twin share its faults; those of one name in two parts do not.
        if faults := len({(part, found) for part, findings in self.parts for found in findings if found.kind.fault}):
            return f"{faults} fault{'s' if faults > 1 else ''}"
        missing = [report.split.name for report in self.splits if report.clips < (report.split.published or 1)]
        if missing:
            return f"a part of what was published (not all of {', '.join(missing)}), without faults"
        known = all(report.split.published is not None for report in self.splits)
        return "as published" if known else "without faults; how many videos were published is not known here"

    @property
    def faulty(self) -> bool:
        """Whether anything is wrong, other than that it is a part."""
        return any(finding.kind.fault for _, part in self.parts for finding in part)


def check_data(root: Path, deep: bool = False, progress: Callable[[int], None] = lambda done: None) -> list[SetReport]:
    """Compares every published data set in `root`, or up to two folders below, with its publication.

    Args:
        root: a folder.
        deep: decode every frame, which finds images that break off; else headers are read.
        progress: called with the number of frames seen so far.

    Raises:
        InputError: if there is no such folder, no data set that is known in it, or a folder cannot be read.
    """
    if not root.is_dir():
        raise InputError(f"there is no folder {root} to check; give the one that holds data sets")
    readers = catalogue()
    looker = Looker(deep, progress)
    found = [(reader, form, place) for reader in readers for form, place in locate(reader.forms, root)]
    if not found:
        for reader in readers:
            reader.refuse_unfinished(root)
        raise InputError(
            f"{root} is laid out like none of {', '.join(reader.title for reader in readers)}; give the folder that "
            "holds one, or read other pairs with raincheck.datasets.folder.PairedFolders"
        )
    return [
        SetReport(
            f"{reader.title}, form {form}" if form else reader.title,
            place,
            [compare(split, place, looker) for split in reader.forms[form]],
            [Finding(Kind.UNFINISHED, str(place))] if reader.unfinished(place) else [],
        )
        for reader, form, place in found
    ]


def print_check(reports: list[SetReport], console: Console) -> None:
    """Prints what was found, what differs and what that means, and a verdict on each data set."""
    console.print(found_table(reports))
    differences = differences_table(reports)
    if differences.row_count:
        console.print(differences)
    for report in reports:
        console.print(Text(f"{report.name} in {report.place}: {report.verdict}"), soft_wrap=True)


def found_table(reports: list[SetReport]) -> Table:
    """A row for each split: what is there, of what was published."""
    table = Table(title="found, of what was published")
    for column in ("data set", "part", "videos", "frames", "sizes"):
        table.add_column(column, justify="right" if column in ("videos", "frames") else "left")
    for report in reports:
        for i, split in enumerate(report.splits):
            table.add_row(
                Text(report.name if i == 0 else ""),
                split.split.name,
                of(split.clips, split.split.published),
                of(split.frames, split.published_frames),
                shown(split.sizes),
            )
    return table


def differences_table(reports: list[SetReport]) -> Table:
    """A row for each kind of difference in each split; faults in bold."""
    table = Table(title="differences")
    for column in ("data set", "part", "what", "where", "what it means for a score"):
        table.add_column(column, overflow="fold")
    for report in reports:
        for part, findings in report.parts:
            for what, where, meaning, fault in rows(findings):
                name = Text(what, style="bold" if fault else "")
                table.add_row(Text(report.name), part, name, Text(where), meaning)
    return table


def rows(findings: list[Finding]) -> Iterator[tuple[str, str, str, bool]]:
    """What, where (the first places), what it means and whether it is a fault: once for each kind."""
    order = sorted(findings, key=lambda finding: (not finding.kind.fault, finding.kind.what))
    for kind, group in groupby(order, key=lambda finding: finding.kind):
        where = list(dict.fromkeys(finding.where for finding in group))
        rest = f" and {len(where) - EXAMPLES} more" if len(where) > EXAMPLES else ""
        yield kind.what, "; ".join(where[:EXAMPLES]) + rest, kind.meaning, kind.fault


def of(found: int, published: int | None) -> str:
    """`8 of 8`, or `8` where it is not known how many were published."""
    return f"{found}" if published is None else f"{found} of {published}"
