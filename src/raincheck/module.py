"""The networks and data for people who only use Lightning: `Trainer().fit(DerainModule(), RainDataModule(task))`."""

from collections.abc import Callable, Iterable
from multiprocessing import get_all_start_methods, get_start_method
from typing import Any

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from raincheck.datasets.augment import Augment
from raincheck.datasets.base import Task, TaskSource
from raincheck.datasets.clips import TestClips, TrainClips, refuse_short
from raincheck.errors import ConfigError
from raincheck.losses import StructureLoss
from raincheck.metrics import score_frames
from raincheck.networks import ClipNetwork, RRGNet
from raincheck.networks.weights import blueprint, build_network, load_state
from raincheck.processes import helpers

Optimizers = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


class DerainModule(LightningModule):
    """A network that learns one rain type, or all at once, under a plain Trainer.

    Batches are `(rainy, clean, ...)`: rainy clips `(b, t, c, h, w)` and clean centre frames `(b, c, h, w)`, float32 in
    [0, 1], as `RainDataModule` gives them; what follows is ignored.

    Args:
        network: RRGNet by default; `load_from_checkpoint` builds the one the checkpoint names, if raincheck has it.
        loss: between output and clean centre frame; StructureLoss by default.
        optimizer: makes the optimizer from the parameters; Adam with a learning rate of 0.001 by default.
    """

    def __init__(
        self,
        network: ClipNetwork | None = None,
        loss: nn.Module | None = None,
        optimizer: Optimizers | None = None,
    ) -> None:
        super().__init__()
        self.network, self._replaceable = network or RRGNet(), network is None  # a checkpoint may bring any
        self.loss = loss or StructureLoss()
        self.optimizer = optimizer or (lambda parameters: torch.optim.Adam(parameters, lr=0.001))

    def forward(self, clip: Tensor) -> Tensor:
        """Derained centre frame `(b, c, h, w)` of a rainy clip `(b, t, c, h, w)`."""
        derained: Tensor = self.network(clip)
        return derained

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """The loss, logged as `train/loss`."""
        loss: Tensor = self.loss(self(batch[0]), batch[1])
        self.log("train/loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Logs every metric of single frames, such as `val/psnr_y`."""
        self._score("val", batch)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        """Logs every metric of single frames, such as `test/psnr_y`."""
        self._score("test", batch)

    def predict_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Derained centre frames `(b, c, h, w)` of a batch, or of rainy clips alone."""
        derained: Tensor = self(batch if isinstance(batch, Tensor) else batch[0])
        return derained

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what the network is."""
        checkpoint["raincheck"] = blueprint(self.network)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes the checkpoint's network, where none was given.

        Raises:
            ConfigError: if another was given, or the checkpoint's is not of raincheck.
            WeightsError: if the checkpoint's weights are not of the network that it names.
        """
        about = checkpoint.get("raincheck")
        if about in (None, blueprint(self.network)):
            return
        if not self._replaceable or "arguments" not in about:
            raise ConfigError(
                f"the checkpoint is for the network {_named(about)}, not {_named(blueprint(self.network))}; "
                "pass the right network= to DerainModule or load_from_checkpoint"
            )
        self.network = build_network(about, "the checkpoint")
        prefix, weights = "network.", checkpoint["state_dict"]
        own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        load_state(self.network, own, "the checkpoint")

    def _score(self, stage: str, batch: Any) -> None:
        scores = score_frames(self(batch[0]).cpu(), batch[1].cpu())
        # Back on the device, where several processes can reduce them.
        means = {f"{stage}/{name}": score.mean().float().to(self.device) for name, score in scores.items()}
        self.log_dict(means, batch_size=len(batch[0]), sync_dist=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimizer over the network's parameters."""
        return self.optimizer(self.network.parameters())


def _named(about: dict[str, str]) -> str:
    return f"{about['network']} {about.get('arguments', '')}".rstrip()


class RainDataModule(LightningDataModule):
    """One task's clips as loaders.

    Args:
        task: a task, or a data set's configuration that builds one.
        window: frames of a clip, odd; the network's.
        crop: height and width of a training clip in pixels.
        samples: training clips an epoch.
        batch: clips a batch.
        workers: processes that prepare clips meanwhile. By default as many for training as `raincheck run` has, and one
            for other clips; none where processes are not forked.
        seed: of the training clips.
        augment: how training clips vary besides their crop; by default half of them are mirrored.

    Raises:
        ConfigError: if the task has no training video, the window has no centre, or a number is too small.
        InputError: if it has no test frame.
    """

    def __init__(
        self,
        task: Task | TaskSource,
        window: int = 5,
        crop: int = 64,
        samples: int = 4800,
        batch: int = 8,
        workers: int | None = None,
        seed: int = 0,
        augment: Augment | None = None,
    ) -> None:
        super().__init__()
        if batch < 1 or (workers or 0) < 0:
            raise ConfigError(
                f"RainDataModule cannot load {batch} clips a batch with {workers or 0} workers; "
                "give a batch of at least 1, and at least 0 workers"
            )
        self.batch, self.workers = batch, workers
        found = task if isinstance(task, Task) else task.task(seed)
        refuse_short(found.train, window, crop)
        self.train_clips = TrainClips(
            found.train, window=window, crop=crop, samples=samples, seed=seed, experience=0, augment=augment
        )
        self.test_clips = TestClips(found.test, window=window, experience=0)

    def train_dataloader(self) -> DataLoader[Any]:
        """Random clips; an epoch shows the same ones in another order."""
        return DataLoader(self.train_clips, self.batch, shuffle=True, num_workers=self._helpers())

    def val_dataloader(self) -> DataLoader[Any]:
        """Every window of the test videos, one at a time, because videos differ in size."""
        # A second one would render or decode again what windows share.
        count = min(1, self._helpers()) if self.workers is None else self.workers
        return DataLoader(self.test_clips, num_workers=count)

    def test_dataloader(self) -> DataLoader[Any]:
        """As `val_dataloader`."""
        return self.val_dataloader()

    def predict_dataloader(self) -> DataLoader[Any]:
        """As `val_dataloader`."""
        return self.val_dataloader()

    def _helpers(self) -> int:
        """Processes that prepare training clips."""
        if self.workers is not None:
            return self.workers
        # Asked for otherwise, the way becomes settled. Spawned, a script that has no `__main__` part would run again.
        if (get_start_method(allow_none=True) or get_all_start_methods()[0]) != "fork":
            return 0
        trainer = self.trainer
        return helpers(trainer.strategy.root_device.type, trainer.num_devices) if trainer else helpers("cpu")
