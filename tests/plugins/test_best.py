"""The best weights so far, kept beside a run."""

from pathlib import Path
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from safetensors import safe_open
from torch import Tensor, nn

from raincheck.datasets.clips import TrainClips
from raincheck.errors import ConfigError
from raincheck.metrics.psnr import psnr_rgb
from raincheck.networks import RRGNet, load_network
from raincheck.plugins import BestWeights, best
from raincheck.strategy import LightningStrategy
from tinytasks import learn_in_avalanche, same, tiny_stream, tiny_tasks


def learn(plugin: SupervisedPlugin | None, out: Path, *more: Any) -> dict[str, Tensor]:
    """Learns the tiny stream with checkpoints; `tinytasks.learn` logs losses, which no checkpoint would have."""
    torch.manual_seed(1)
    model = RRGNet(window=3, width=4)
    strategy = LightningStrategy(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), 3e-3),
        criterion=nn.L1Loss(),
        train_mb_size=4,
        evaluator=None,
        plugins=[*more, *([plugin] if plugin else [])],
        checkpoints=out / "checkpoints",
    )
    for experience in tiny_stream().train_stream:
        strategy.train(experience, shuffle=False)
    return model.state_dict()


def test_the_kept_weights_have_the_highest_score_of_all_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def watched(derained: Tensor, clean: Tensor) -> Tensor:
        scores = psnr_rgb(derained, clean)
        looks.append(float(scores.mean()))
        return scores

    monkeypatch.setattr(best, "psnr_rgb", watched)
    learn(BestWeights(every=2, clips=3), tmp_path)
    assert len(looks) == 3 * (3 + 1) and looks[-1] < max(looks)
    with safe_open(tmp_path / "best.safetensors", "pt") as file:
        assert float(file.metadata()["score"]) == pytest.approx(max(looks), abs=0.006)


def test_its_clips_are_of_the_test_videos_of_all_tasks(tmp_path: Path) -> None:
    learn(BestWeights(every=100, clips=2), tmp_path)
    network = load_network(tmp_path / "best.safetensors")
    found = []
    for position, task in enumerate(tiny_tasks()):
        clips = TrainClips(task.test, window=network.window, crop=16, samples=2, seed=0, experience=position)
        for rainy, clean, _ in (clips[0], clips[1]):
            with torch.no_grad():
                found.append(float(psnr_rgb(network(rainy[None]).clamp(0, 1), clean[None])))
    with safe_open(tmp_path / "best.safetensors", "pt") as file:
        assert float(file.metadata()["score"]) == pytest.approx(sum(found) / 6, abs=0.01)


def test_it_changes_nothing_and_runs_in_avalanches_loop(tmp_path: Path) -> None:
    assert same(learn(BestWeights(every=2), tmp_path / "a"), learn(None, tmp_path / "b"))
    assert same(learn_in_avalanche(lambda: [BestWeights(every=2)]).state, learn_in_avalanche().state)


def test_numbers_below_one_are_refused() -> None:
    with pytest.raises(ConfigError, match="cannot look every 0 steps at 24 clips"):
        BestWeights(every=0)
