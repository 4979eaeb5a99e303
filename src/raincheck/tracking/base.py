"""What every tracker can be told, and the one that forgets it all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from PIL import Image

from raincheck.evaluation.matrix import Matrix
from raincheck.evaluation.so_far import scores_so_far


class Tracker(Logger):
    """A Lightning logger that outlives the fits of a run; this one logs nothing.

    Lightning calls `finalize` at the end of every experience: it only saves. `close` ends the run. Steps are those of
    Avalanche's clock, which goes on over experiences. A run that is resumed may log steps again that were logged before
    it was killed, with the same values; and `save` is called before a checkpoint is written, so that none are missing.
    """

    @property
    def name(self) -> str:
        """Lightning asks for one, to name folders that we name ourselves."""
        return ""

    @property
    def version(self) -> str:
        """Like `name`."""
        return ""

    @property
    def for_trainer(self) -> Logger | bool:
        """The argument `logger` of a Trainer: False where nothing is logged, which spares it reading the losses."""
        return False if type(self) is Tracker else self

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Lightning's modules have none here; trackers are given the configuration when they are made."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Logs numbers by name."""

    def log_matrices(self, matrices: Mapping[str, Matrix], step: int) -> None:
        """Logs by metric the newest row of R, and average, forgetting and transfer over the tasks learned so far."""
        self.log_metrics(scores_so_far(matrices), step)
        self.save()

    def log_pictures(self, task: str, pictures: Mapping[str, Image.Image], step: int) -> None:
        """Logs pictures of the same frame: `rainy`, `derained`, `clean`."""

    @property
    def takes_videos(self) -> bool:
        """Whether videos are worth making."""
        return False

    def log_video(self, task: str, video: Path, step: int) -> None:
        """Logs a video file."""

    def log_results(self, folder: Path, report: Mapping[str, Any]) -> None:
        """Logs what a finished run has left in its folder: weights, report, configuration."""

    def close(self, finished: bool) -> None:
        """Ends the run; nothing can be logged any more."""
