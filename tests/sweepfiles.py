"""Tiny sweeps, and launchers that run their trials in this process, or only pretend to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from raincheck.config import parse
from raincheck.errors import RaincheckError
from raincheck.run import run
from raincheck.sweeping.legs import Leg

TASKS = ("veil", "streaks", "drops")
BASE: dict[str, Any] = {
    "stream": {
        "crop": 16,
        "steps": 2,
        "tasks": [{"class_path": "tinytasks.TinyRain", "init_args": {"kind": kind}} for kind in TASKS],
    },
    "network": {"class_path": "raincheck.networks.RRGNet", "init_args": {"window": 3, "width": 4}},
    "loss": {"class_path": "raincheck.losses.Charbonnier"},
    "plugins": [{"class_path": "raincheck.plugins.RainReview", "init_args": {"batch": 2}}],
    "batch": 2,
    "tracking": "none",
}
GRID = {"method": "grid", "parameters": {"optimizer.init_args.lr": {"values": [0.001, 0.02]}}}
METRIC = {"name": "average/psnr_y", "goal": "maximize"}


def sweep_file(folder: Path, plugins: list[Any] | None = None, **content: Any) -> Path:
    """A sweep of tiny runs, by a method of more plugins if there are any; by default a grid of two."""
    folder.mkdir(parents=True, exist_ok=True)
    base, path = folder / "base.yaml", folder / "sweep.yaml"
    base.write_text(yaml.safe_dump({**BASE, "plugins": [*BASE["plugins"], *(plugins or [])]}))
    command = ["${env}", "${program}", "run", "--trust", "--config", str(base), "${args}", "--out", "runs/{id}"]
    common = {"program": "raincheck", "command": command, "metric": METRIC}
    path.write_text(yaml.safe_dump({**common, **(content or GRID)}))
    return path


class InProcess:
    """Runs a leg here, which spares starting Python.

    Attributes:
        legs: that were run.
    """

    room = 1

    def __init__(self) -> None:
        self.legs: list[Leg] = []
        self._waiting: list[Leg] = []

    def start(self, leg: Leg) -> None:
        self._waiting.append(leg)

    def next(self) -> tuple[int, str | None]:
        leg = self._waiting.pop(0)
        self.legs.append(leg)
        try:
            self.run(leg)
        except RaincheckError as error:
            return leg.number, str(error)
        return leg.number, None

    def run(self, leg: Leg) -> None:
        words = [word for word in leg.arguments if word != "--trust"]
        run(parse(words, trust="--trust" in leg.arguments), leg.folder, leg.until)

    @contextmanager
    def launched(self) -> Iterator["InProcess"]:
        """What takes a launcher's place in LAUNCHERS."""
        yield self


class Pretending(InProcess):
    """Writes what a run might have found: a function of its arguments, and of nothing else.

    Args:
        room: how many legs run at once; the one that was started last ends first.
        tasks: of the stream.
    """

    def __init__(self, room: int = 1, tasks: int = 3) -> None:
        super().__init__()
        self.room, self.tasks = room, tasks

    def next(self) -> tuple[int, str | None]:
        assert len({leg.folder for leg in self._waiting}) == len(self._waiting), "a run in two places at once"
        assert len(self._waiting) <= self.room
        self._waiting.insert(0, self._waiting.pop())
        return super().next()

    def run(self, leg: Leg) -> None:
        options = dict(word.removeprefix("--").split("=", 1) for word in leg.arguments if "=" in word)
        x, learned = float(options["optimizer.init_args.lr"]), min(leg.until or self.tasks, self.tasks)
        whole = [[20.0 - (x - 0.3) ** 2 * (5 + row) if row else 0.0] * self.tasks for row in range(self.tasks + 1)]
        rows = [row if index <= learned else [None] * self.tasks for index, row in enumerate(whole)]
        report = {"tasks": list(TASKS[: self.tasks]), "metrics": {"psnr_y": {"R": rows}}}
        leg.folder.mkdir(exist_ok=True)
        (leg.folder / "config.yaml").write_text(f"lr: {x}\n")
        name = "report.json" if learned == self.tasks else "so_far.json"
        (leg.folder / name).write_text(json.dumps(report))
