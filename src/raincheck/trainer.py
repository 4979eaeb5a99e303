"""Lightning's Trainer as an experience needs it: whole checkpoint files, and SLURM's requeueing at exact places."""

import signal
from pathlib import Path
from typing import Any

from lightning.fabric.plugins import CheckpointIO, TorchCheckpointIO
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch import Trainer

from raincheck import checkpoint


class WholeFiles(TorchCheckpointIO):
    """Checkpoints that are written whole or not at all, and read without running code."""

    def save_checkpoint(self, checkpoint_: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes a file.

        Raises:
            OutputError: if it cannot be written; what was there before is intact then.
        """
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        checkpoint.save(Path(path), checkpoint_)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Reads a file.

        Raises:
            ConfigError: if it is unreadable, or other package versions wrote it.
        """
        found = checkpoint.load(Path(path))
        if found is None:
            raise FileNotFoundError(path)
        return found


class ExperienceTrainer(Trainer):
    """A Trainer for one experience.

    When SLURM is about to end a job, Lightning's signal handler saves a checkpoint wherever the program happens to be,
    and requeues the job. In the middle of a step nothing can be saved exactly, so the loop is asked to do it when the
    step is done.
    """

    def save_checkpoint(self, filepath: Any, weights_only: bool | None = None, storage_options: Any = None) -> None:
        """Saves a checkpoint; SLURM's a moment later, and where the strategy keeps its own."""
        if Path(filepath).name.startswith("hpc_ckpt_"):
            self.lightning_module.save_soon()  # type: ignore[operator]
        else:
            super().save_checkpoint(filepath, weights_only, storage_options)


def trainer_plugins(given: Any, requeue: bool) -> list[Any]:
    """A user's Trainer plugins, and ours where the user has none of the kind.

    Args:
        given: the Trainer's argument `plugins`.
        requeue: whether a requeued job would find a checkpoint of ours.
    """
    plugins = list(given) if isinstance(given, (list, tuple)) else [given] if given else []
    if not any(isinstance(plugin, CheckpointIO) for plugin in plugins):
        plugins.append(WholeFiles())
    if not requeue and SLURMEnvironment.detect() and not any(isinstance(p, ClusterEnvironment) for p in plugins):
        plugins.append(SLURMEnvironment(auto_requeue=False))
    return plugins


def hear(now: bool) -> None:
    """Lets SLURM's signal in while a Trainer runs, which handles it, or holds it back.

    Unhandled, as in Fisher passes, it would end the program without requeueing the job. Held back, it waits.
    """
    if SLURMEnvironment.detect():
        signal.pthread_sigmask(signal.SIG_UNBLOCK if now else signal.SIG_BLOCK, {signal.SIGUSR1})
