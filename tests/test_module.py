"""The Lightning-only entrance: a plain Trainer learns, and scores what the pure metrics score."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer, seed_everything

from raincheck import module
from raincheck.datasets.clips import TestClips
from raincheck.datasets.rendered import RenderedRain
from raincheck.errors import ConfigError, WeightsError
from raincheck.metrics.psnr import psnr_y
from raincheck.module import DerainModule, RainDataModule
from raincheck.networks import ClipNetwork, Identity, RRGNet
from raincheck.processes import machine
from tinytasks import same, tiny_task

SOURCE = {"rain": "thin", "photographs": "bundled", "test_frames": 3, "test_size": (48, 48)}
QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}


@pytest.fixture
def data() -> RainDataModule:
    return RainDataModule(RenderedRain("thin", **SOURCE), window=3, crop=32, samples=64, batch=8)  # type: ignore[arg-type]


@pytest.mark.slow
def test_fit_lowers_the_loss(data: RainDataModule) -> None:
    seed_everything(0, verbose=False)
    module = DerainModule(RRGNet(window=3, width=16), optimizer=lambda p: torch.optim.Adam(p, 0.001))
    batch = next(iter(data.train_dataloader()))
    before = float(module.loss(module(batch[0]), batch[1]))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        Trainer(accelerator="cpu", max_epochs=15, num_sanity_val_steps=0, **QUIET).fit(module, data)
    assert float(module.loss(module(batch[0]), batch[1])) < 0.9 * before


def test_validation_is_the_protocols_mean_over_frames(data: RainDataModule) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        (logged,) = Trainer(accelerator="cpu", **QUIET).validate(DerainModule(Identity(3)), data, verbose=False)
    clips = TestClips(data.test_clips.videos, window=3, experience=0)
    by_hand = [float(psnr_y(rainy[1], clean)) for rainy, clean, *_ in (clips[i] for i in range(len(clips)))]
    assert logged["val/psnr_y"] == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-6)


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"window": 4}, "^a clip of 4 frames has no centre frame; give an odd window of 1 or more$"),
    ({"window": -1}, "^a clip of -1 frames has no centre frame; give an odd window of 1 or more$"),
    ({"batch": 0}, "^RainDataModule cannot load 0 clips a batch with 0 workers; give a batch of at least 1, and at "),
    ({"workers": -1}, "^RainDataModule cannot load 8 clips a batch with -1 workers; give a batch of at least 1, and "),
]


@pytest.mark.parametrize(("given", "sentence"), MISTAKES)
def test_numbers_that_cannot_be_are_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        RainDataModule(tiny_task("streaks"), **{"window": 3, "crop": 16, **given})


def test_workers_prepare_the_clips_unless_told_otherwise(data: RainDataModule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    monkeypatch.setattr(machine, "cores", lambda: 8)
    trainer = Trainer(accelerator="cpu", **QUIET)
    loaders = (data.train_dataloader, data.val_dataloader)
    assert [loader().num_workers for loader in loaders] == [2, 1]
    data.trainer = trainer
    assert [loader().num_workers for loader in loaders] == [2, 1]
    monkeypatch.setattr(module, "get_start_method", lambda allow_none: "spawn")
    assert [loader().num_workers for loader in loaders] == [0, 0]
    told = RainDataModule(tiny_task("streaks"), window=3, crop=16, workers=2)
    assert (told.train_dataloader().num_workers, told.val_dataloader().num_workers) == (2, 2)


@pytest.mark.parametrize("window", [0, 2])
def test_test_clips_have_a_centre_too(window: int) -> None:
    with pytest.raises(ConfigError, match=rf"^a clip of {window} frames has no centre frame; "):
        TestClips(tiny_task("streaks").test, window=window, experience=0)


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
def test_predictions_are_derained_test_frames(data: RainDataModule) -> None:
    module, trainer = DerainModule(Identity(3)), Trainer(accelerator="cpu", **QUIET)
    predicted = trainer.predict(module, data)
    assert predicted is not None and len(predicted) == len(data.test_clips)
    rainy, *_ = data.test_clips[1]
    assert torch.equal(predicted[1], rainy[1][None])  # type: ignore[arg-type]
    assert torch.equal(module.predict_step(rainy[None], 0), rainy[1][None])


def checkpoint(path: Path, network: ClipNetwork) -> Path:
    trainer = Trainer(accelerator="cpu", **QUIET)
    trainer.strategy.connect(DerainModule(network))
    trainer.save_checkpoint(path)
    return path


def test_a_checkpoint_brings_its_network(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = RRGNet(window=3, width=4)
    saved = checkpoint(tmp_path / "x.ckpt", network)
    loaded = DerainModule.load_from_checkpoint(saved)
    assert loaded.network.arguments == network.arguments
    assert same(loaded.network.state_dict(), network.state_dict())
    assert all(parameter.requires_grad for parameter in loaded.parameters())
    given = RRGNet(window=3, width=4)
    assert DerainModule.load_from_checkpoint(saved, network=given).network is given
    assert same(given.state_dict(), network.state_dict())


class Mine(Identity):
    """A user's network."""


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    saved, mine = checkpoint(tmp_path / "x.ckpt", RRGNet(3, 4)), checkpoint(tmp_path / "mine.ckpt", Mine(3))
    with pytest.raises(
        ConfigError, match=r"^the checkpoint is for the network RRGNet \{.*\}, not RRGNet \{.*\}; pass the"
    ):
        DerainModule.load_from_checkpoint(saved, network=RRGNet(3, 6))
    with pytest.raises(ConfigError, match=r"^the checkpoint is for the network Mine, not RRGNet \{.*\}; pass the"):
        DerainModule.load_from_checkpoint(mine)
    assert DerainModule.load_from_checkpoint(mine, network=Mine(3)).network.window == 3


def test_a_checkpoint_whose_weights_are_not_its_networks_is_refused(tmp_path: Path) -> None:
    saved = checkpoint(tmp_path / "x.ckpt", RRGNet(3, 4))
    content = torch.load(saved, weights_only=False)
    content["raincheck"]["arguments"] = '{"window": 3, "width": 100000}'
    torch.save(content, saved)
    with pytest.raises(WeightsError, match=r"^the checkpoint holds weights of another network than RRGNet: "):
        DerainModule.load_from_checkpoint(saved)
