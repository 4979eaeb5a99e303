"""What the tuning found: a table of all trials, and each method's winner as a configuration of its own.

Reads experiments/results/tuning.jsonl, in which `make tune` notes every trial, and writes experiments/results/tuning.md
and experiments/tuned/*.yaml. The winner is the trial with the highest average psnr_y over the validation clips of all
tasks after the last one. A method whose trials are not all known has the best of those that are, and it is said.

    python experiments/tuning.py
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from raincheck.ablation.cells import grounded, merged
from raincheck.ablation.grid import read_grid
from raincheck.ablation.plan import lists_of, plan
from raincheck.ablation.record import Record

HERE = Path(__file__).parent
RECORD = HERE / "results" / "tuning.jsonl"
COLUMNS = ("average", "forgetting", "bwt")

Trial = tuple[str, dict[str, Any]]  # cell and psnr_y


def trials(grid: Path, record: Record) -> tuple[list[Trial], int]:
    """The trials of a method that are known, the best first, and how many are missing."""
    planned = plan(read_grid(grid), grid, HERE, trust=False)
    known = [one for one in planned if one.identity in record]
    found = [(one.cell, record.report(one.identity)["metrics"]["psnr_y"]) for one in known]
    return sorted(found, key=lambda trial: -trial[1]["average"]), len(planned) - len(known)


def winner(grid: Path, best: Sequence[Trial]) -> str:
    """A method's configuration with the settings of its best trial."""
    content = read_grid(grid)
    method = content.base[-1]
    settings = merged(lists_of([method]), grounded(content.cells[best[0][0]], lists_of(content.base)))
    cell, scores = best[0]
    head = (
        f"# The best of {len(best)} trials of {method.stem} on validation clips: {cell}, {scores['average']:.2f} dB.\n"
        f"# Written by experiments/tuning.py from experiments/tuning/{grid.name}.\n"
    )
    return head + yaml.safe_dump(settings, sort_keys=False)


def rows(method: str, found: Sequence[Trial]) -> list[str]:
    """A method's lines of the table."""
    lines = []
    for place, (cell, scores) in enumerate(found):
        numbers = ["–" if scores[name] is None else f"{scores[name]:.2f}" for name in COLUMNS]
        lines.append(f"| {method if not place else ''} | {cell} | {' | '.join(numbers)} |")
    return lines


def main() -> None:
    """Writes."""
    record, table, missing = Record(RECORD), [], []
    for grid in sorted((HERE / "tuning").glob("*.yaml")):
        found, unknown = trials(grid, record)
        if unknown:
            missing.append(f"{unknown} of {grid.stem}")
        if found:
            table += rows(grid.stem, found)
            (HERE / "tuned" / grid.name).write_text(winner(grid, found), encoding="utf-8")
    said = f"missing: {', '.join(missing) or 'none'}"
    title = f"Trials on validation clips, the best first: psnr_y in dB, one seed, one order (`make tune`); {said}"
    head = [title, "", f"| method | trial | {' | '.join(COLUMNS)} |", f"|---|---|{'---:|' * len(COLUMNS)}"]
    (HERE / "results" / "tuning.md").write_text("\n".join([*head, *table]) + "\n", encoding="utf-8")
    print(f"written; {said}")


if __name__ == "__main__":
    main()
