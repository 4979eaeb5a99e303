"""Where losses, scores and pictures are logged while a run goes on: CSV, TensorBoard, Weights & Biases, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raincheck.errors import ConfigError

if TYPE_CHECKING:  # a dashboard needs no Lightning
    from raincheck.tracking.base import Tracker

KINDS = ("csv", "tensorboard", "wandb", "none")


@contextmanager
def tracked(kind: str, folder: Path, config: dict[str, Any]) -> Iterator[Tracker]:
    """The tracker of a run: one for all its experiences, on one x axis, closed when the `with` block ends.

    Args:
        kind: `csv` (folder/logs/metrics.csv), `tensorboard` (event files in folder/logs), `wandb` (folder/wandb besides
            metrics.csv, offline unless the environment variable WANDB_MODE is `online`; no more than metrics.csv where
            it is `disabled`), or `none`.
        folder: of the run; a run that goes on in it is the same run to its tracker.
        config: the resolved configuration; its `method` and `seed` name the run.

    Raises:
        ConfigError: for another kind, or one whose package is not installed.
    """
    tracker = make_tracker(kind, folder, config)
    finished = False
    try:
        yield tracker
        finished = True
    finally:
        tracker.close(finished)


def make_tracker(kind: str, folder: Path, config: dict[str, Any]) -> Tracker:
    """A tracker, whose packages are imported only now: W&B's take a second.

    Raises:
        ConfigError: for another kind, or one whose package is not installed.
    """
    if kind == "csv" or (kind == "wandb" and os.environ.get("WANDB_MODE") == "disabled"):
        from raincheck.tracking.table import TableTracker

        return TableTracker(folder / "logs" / "metrics.csv")
    if kind == "tensorboard":
        try:
            from raincheck.tracking.board import BoardTracker
        except ImportError:
            raise ConfigError("tracking tensorboard needs a package; pip install 'raincheck[tensorboard]'") from None
        return BoardTracker(folder / "logs", config)
    if kind == "wandb":
        from raincheck.tracking.weights_and_biases import WandbTracker

        return WandbTracker(folder, config)
    if kind == "none":
        from raincheck.tracking.base import Tracker

        return Tracker()
    raise ConfigError(f"tracking cannot be {kind!r}; choose {', '.join(KINDS[:-1])} or {KINDS[-1]}")
