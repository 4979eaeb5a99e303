"""Lightning's Trainer as an experience needs it: whole checkpoint files, and SLURM's requeueing at exact places."""

import signal
import threading
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


class Requeue:
    """SLURM's signal, kept for the next Trainer while none is there to handle it, as in Fisher passes.

    Unhandled, it would end the program without requeueing the job. Blocking it would not do: any thread may get it.
    """

    def __init__(self) -> None:
        self.pending = False

    def hold(self) -> None:
        """Keeps the signal from now on."""
        if self._concerned():
            signal.signal(signal.SIGUSR1, self._keep)

    def release(self) -> None:
        """Makes room for the handler of a Trainer, which puts none in the place of another."""
        if self._concerned():
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)

    def deliver(self) -> None:
        """Hands a signal that was kept to the Trainer, whose handler is there now."""
        if self.pending:
            self.pending = False
            signal.raise_signal(signal.SIGUSR1)

    def _keep(self, *arguments: Any) -> None:
        self.pending = True

    @staticmethod
    def _concerned() -> bool:
        return SLURMEnvironment.detect() and threading.current_thread() is threading.main_thread()


requeue = Requeue()  # one, as a process has one handler
