"""The Lightning-only entrance: a plain Trainer learns, and scores what the pure metrics score."""

import warnings
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer, seed_everything

from raincheck.datasets.base import TestClips
from raincheck.datasets.rendered import RenderedRain
from raincheck.errors import ConfigError
from raincheck.metrics.psnr import psnr_y
from raincheck.module import DerainModule, RainDataModule
from raincheck.networks import Identity, RRGNet
from tinytasks import tiny_task

SOURCE = {"rain": "thin", "photographs": "bundled", "test_frames": 3, "test_size": (48, 48)}
QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}


@pytest.fixture
def data() -> RainDataModule:
    return RainDataModule(RenderedRain("thin", **SOURCE), window=3, crop=32, samples=64, batch=8)  # type: ignore[arg-type]


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


@pytest.mark.parametrize("window", [0, 2])
def test_test_clips_have_a_centre_too(window: int) -> None:
    with pytest.raises(ConfigError, match=rf"^a clip of {window} frames has no centre frame; "):
        TestClips(tiny_task("streaks").test, window=window, experience=0)
