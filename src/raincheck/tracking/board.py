"""TensorBoard: `tensorboard --logdir DIR/logs`."""

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from raincheck.evaluation.matrix import Matrix
from raincheck.tracking.base import Tracker
from raincheck.tracking.figures import curves, heatmap, side_by_side


class BoardTracker(Tracker):
    """Numbers, R as heat maps and curves, pictures and the configuration as TensorBoard events.

    Args:
        folder: of the event files; a run that goes on adds a file, in which some steps are repeated with equal values.
        config: the resolved configuration.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.folder, self.config = folder, config
        self._writer: SummaryWriter | None = None

    @property
    def writer(self) -> SummaryWriter:
        """The writer, made when there is something to log."""
        if self._writer is None:
            self._writer = SummaryWriter(str(self.folder))
            # TensorBoard shows texts as Markdown, in which four spaces make a block of code.
            text = json.dumps(self.config, indent=1)
            self._writer.add_text("config", html.escape("".join(f"    {line}\n" for line in text.splitlines())))
        return self._writer

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Adds scalars."""
        for name, value in metrics.items():
            self.writer.add_scalar(html.escape(name), value, step)

    @rank_zero_only
    def log_matrices(self, matrices: Mapping[str, Matrix], step: int) -> None:
        """Adds scalars and images."""
        super().log_matrices(matrices, step)
        for metric, matrix in matrices.items():
            self._add_image(f"R/{metric}", heatmap(metric, matrix), step)
            self._add_image(f"curves/{metric}", curves(metric, matrix), step)

    @rank_zero_only
    def log_pictures(self, task: str, pictures: Mapping[str, Image.Image], step: int) -> None:
        """Adds one image with the pictures side by side."""
        self._add_image(f"frames/{task}", side_by_side(list(pictures.values())), step)

    def save(self) -> None:
        """Writes what was logged: it outlives the process now."""
        if self._writer is not None:
            self._writer.flush()

    def close(self, finished: bool) -> None:
        """Closes the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _add_image(self, name: str, picture: Image.Image, step: int) -> None:
        self.writer.add_image(html.escape(name), np.asarray(picture), step, dataformats="HWC")
