"""`raincheck demo`: the main job on an embedded stream, offline, in minutes.

A stream of three rains is learned twice, by plain fine-tuning and by RRGNet; both are scored, reported and compared,
and a video in which the rain changes twice is derained.
"""

import json
from collections.abc import Sequence
from fractions import Fraction
from importlib import resources
from pathlib import Path

from rich.console import Console

from raincheck.config import parse
from raincheck.datasets.rendered import RenderedRain
from raincheck.deraining import derain
from raincheck.files import write_text
from raincheck.report import write_report
from raincheck.report.console import print_matrix
from raincheck.run import run
from raincheck.running.outcome import Report
from raincheck.video.writing.encode import open_writer
from raincheck.video.writing.look import Look

METHODS = ("finetune", "rrgnet")
RAINS = ("thin", "veil", "wind")
RATE = Fraction(12)  # frames a second: slow enough to look at
SIZE = (192, 256)


def demo(out: Path) -> None:
    """Learns, prints both R matrices, and writes report.html, report.json, rainy.mp4 and derained.mp4 into `out`.

    What is finished is not done again, so that an interrupted demonstration goes on.

    Raises:
        OutputError: if something cannot be written.
    """
    console, here = Console(), resources.files(__name__)
    reports = []
    for method in METHODS:
        config = parse(["--config", str(here / "stream.yaml"), "--config", str(here / f"{method}.yaml")])
        reports.append(run(config, out / method))
    for report in reports:
        print_matrix(report, console)
    console.print(verdict(reports))
    write_text(out / "report.json", json.dumps({"runs": reports}, indent=1))
    write_report([out / method for method in METHODS], out / "report.html", title="raincheck demo")
    write_rainy(out / "rainy.mp4")
    derain(out / "rainy.mp4", out / "derained.mp4", weights=str(out / "rrgnet"))
    for name in ("report.html", "report.json", "rainy.mp4", "derained.mp4"):
        console.print(f"written: {out / name}", soft_wrap=True, markup=False)


def verdict(reports: Sequence[Report]) -> str:
    """One line a method: what it forgot and what it delivers, in dB."""
    lines = []
    for report in reports:
        scores = report["metrics"]["psnr_y"]
        lines.append(
            f"{report['method']}: forgot {scores['forgetting']:.2f} dB, delivers {scores['average']:.2f} dB on average"
        )
    return "\n".join(lines)


def write_rainy(path: Path) -> None:
    """A video of one held-out photograph, filmed under one rain after the other."""
    with open_writer(path, Look(RATE, SIZE)) as writer:
        for rain in RAINS:
            source = RenderedRain(rain, rain, photographs="bundled", test_frames=24, test_size=SIZE)
            video = source.task(seed=0).test[0]
            for frame in video.read(0, len(video))[0]:
                writer.write(frame)
