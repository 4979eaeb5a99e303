"""Tables of measurements: shown here, and kept in a dated file with what they were measured on."""

import argparse
import os
import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

PACKAGES = ("raincheck", "torch", "lightning", "avalanche-lib", "av")


@dataclass(frozen=True)
class Measured:
    """A table.

    Attributes:
        title: what was measured, and how.
        columns: headings.
        rows: one text a column.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def show(self) -> None:
        """Prints it."""
        table = Table(title=self.title)
        for i, column in enumerate(self.columns):
            table.add_column(column, justify="right" if i else "left")
        for row in self.rows:
            table.add_row(*row)
        Console().print(table)

    def lines(self) -> list[str]:
        """It in Markdown."""
        return [
            f"| {' | '.join(self.columns)} |",
            f"|---|{'---:|' * (len(self.columns) - 1)}",
            *(f"| {' | '.join(row)} |" for row in self.rows),
        ]

    def save(self, what: str, device: str, settings: str, *others: "Measured", precision: str | None = None) -> Path:
        """Writes `benchmarks/<what>_<hardware>[_<precision>]_<date>.md`, with versions, settings and other tables."""
        name = hardware(device)
        day = datetime.now(UTC).date().isoformat()
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        lines = [
            f"# {self.title}",
            "",
            f"- {day}, {name}, {torch.get_num_threads()} threads of {os.cpu_count()} cores",
            f"- Python {platform.python_version()}, {', '.join(f'{p} {version(p)}' for p in PACKAGES)}",
            f"- `python benchmarks/{what}.py {settings}`",
            "",
            *self.lines(),
        ]
        for other in others:
            lines += ["", f"## {other.title}", "", *other.lines()]
        path = Path(__file__).parent / f"{'_'.join(filter(None, (what, slug, precision, day)))}.md"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def hardware(device: str) -> str:
    """The name of the GPU, or of the processor."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    described = Path("/proc/cpuinfo")
    if described.exists() and (match := re.search(r"model name\s*: (.+)", described.read_text())):
        return f"{os.cpu_count()}x {match[1].strip()}"
    return platform.processor() or platform.machine()


def options_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser that knows `--save`, and shows a description as it stands."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--save", action="store_true", help="keep the tables in this folder, with hardware and date")
    return parser


def save_if_asked(options: argparse.Namespace, *tables: Measured) -> None:
    """Keeps tables that were shown, with all options of the program that measured them."""
    if options.save:
        device = str(getattr(options, "device", "cpu"))
        precision = getattr(options, "precision", None)  # results in fp32 and in bf16 stand side by side
        path = tables[0].save(Path(sys.argv[0]).stem, device, words(options), *tables[1:], precision=precision)
        print(f"written to {path}")


def words(options: argparse.Namespace) -> str:
    """Options as they are given, those too that were left at their defaults."""
    found = []
    for name, value in vars(options).items():
        values = [f"{one}" for one in (value if isinstance(value, list | tuple) else [value])]
        if name != "save" and value not in (None, False):
            found += [f"--{name.replace('_', '-')}", *(values if value is not True else [])]
    return " ".join(found)
