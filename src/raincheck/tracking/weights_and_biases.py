"""Weights & Biases: one run of ours is one W&B run, also when it was stopped and went on."""

import html
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image

from raincheck.evaluation.costs import COSTS
from raincheck.evaluation.matrix import Matrix
from raincheck.tracking.figures import curves, heatmap
from raincheck.tracking.origin import commit
from raincheck.tracking.table import TableTracker, read_rows
from raincheck.tracking.wandb_run import AXIS, STAGING, begin, remove_others


class WandbTracker(TableTracker):
    """Numbers, R as table, heat map and curves, pictures, videos, and artifacts of weights and report.

    Offline unless WANDB_MODE=online, and then only if the server answers. A run that goes on has the id that it had.
    Online, W&B resumes it, and gets what it lacks. Offline it cannot, and the file that a killed process left is cut
    short; so the numbers are kept in metrics.csv too, and a run that goes on begins its file anew with them, in place
    of the old one.

    W&B refuses a step that is smaller than an earlier one, and a run that goes on repeats steps; so the x axis is a
    metric of ours, not W&B's step.

    Args:
        folder: of the run; W&B's files are in folder/wandb.
        config: the resolved configuration, with the run's method and seed.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        super().__init__(folder / "logs" / "metrics.csv")
        self.folder, self.config = folder, config
        self._run: wandb.Run | None = None
        self._known: dict[int, dict[str, str]] = {}  # by step, what an earlier process logged

    @property
    def run(self) -> wandb.Run:
        """The W&B run, begun now if it was not yet, with what was logged before."""
        if self._run is None:
            self._run = begin(self.folder, self.config)
            self._run.define_metric(AXIS, hidden=True)
            self._run.define_metric("*", step_metric=AXIS)
            self._run.config["raincheck"] = {"commit": commit()}
            summary: Any = self._run.summary
            sent = summary.get(AXIS, -1) if self._run.resumed else -1  # what the server has
            before = {int(row.pop("step")): row for row in read_rows(self.path)}
            for step, row in before.items():
                if step > sent:
                    self._send({name: float(text) for name, text in row.items()}, step)
            self._known = before
            remove_others(self.folder / "wandb", self._run.id, Path(self._run.dir).parent)
        return self._run

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Logs numbers; of steps that are repeated, W&B has them already."""
        _ = self.run  # which reads the table, before it has a row of this step
        super().log_metrics(metrics, step)
        known = self._known.get(step or 0, {})
        self._send({name: value for name, value in metrics.items() if name not in known}, step or 0)

    def _send(self, values: Mapping[str, Any], step: int) -> None:
        """Gives W&B numbers or media under names that no page can take for markup."""
        if values:
            self.run.log({html.escape(name): value for name, value in values.items()} | {AXIS: step})

    @rank_zero_only
    def log_matrices(self, matrices: Mapping[str, Matrix], step: int) -> None:
        """Logs the numbers, and R as a table, a heat map and curves."""
        super().log_matrices(matrices, step)
        media: dict[str, Any] = {}
        for metric, matrix in matrices.items():
            if not matrix.tasks_learned:
                continue
            media[f"R/{metric}"] = table(matrix)
            media[f"heatmap/{metric}"] = wandb.Image(heatmap(metric, matrix))
            media[f"curves/{metric}"] = wandb.Image(curves(metric, matrix))
        self._send(media, step)

    @rank_zero_only
    def log_pictures(self, task: str, pictures: Mapping[str, Image.Image], step: int) -> None:
        """Logs the pictures of a frame in a row."""
        row = [wandb.Image(picture, caption=kind) for kind, picture in pictures.items()]
        self._send({f"frames/{task}": row}, step)

    @property
    def takes_videos(self) -> bool:
        """W&B shows videos."""
        return True

    @rank_zero_only
    def log_video(self, task: str, video: Path, step: int) -> None:
        """Logs an mp4 file."""
        self._send({f"video/{task}": wandb.Video(str(video), format="mp4")}, step)

    @rank_zero_only
    def log_results(self, folder: Path, report: Mapping[str, Any]) -> None:
        """Logs artifacts by their place in the folder, and what a run costs as its summary."""
        run = self.run
        files = {"weights": ["weights.safetensors"], "report": ["report.json", "config.yaml"]}
        for kind, names in files.items():
            artifact = wandb.Artifact(f"{kind}-{run.id}", type=kind)
            for name in names:
                # A mutable file would be copied to the home directory first.
                artifact.add_file(str(folder / name), name=name, policy="immutable")
            run.log_artifact(artifact)
        run.summary.update({key: report[key] for key in COSTS})

    def close(self, finished: bool) -> None:
        """Ends the W&B run; what is not sent in time stays in the folder, for `wandb sync`."""
        super().close(finished)
        if self._run is not None:
            self._run.finish(exit_code=0 if finished else 1)
            self._run = None
            if os.environ.get(STAGING) == str(self.folder / "wandb"):
                del os.environ[STAGING]


def table(matrix: Matrix) -> wandb.Table:
    """R as a W&B table."""
    rows = ["before training", *(html.escape(task) for task in matrix.tasks)]
    data = [[name, *scores] for name, scores in zip(rows, matrix.rows, strict=True)]
    return wandb.Table(columns=["learned", *map(html.escape, matrix.tasks)], data=data)
