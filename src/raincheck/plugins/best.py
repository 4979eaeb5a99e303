"""Keeps the best weights of a run as it goes, so that a run that is never finished leaves something too."""

from typing import Any

import torch
from avalanche.core import SupervisedPlugin

from raincheck.datasets.clips import TestClips, TrainClips
from raincheck.errors import ConfigError
from raincheck.metrics.psnr import psnr_rgb
from raincheck.networks import save_weights
from raincheck.plugins.evaluating import evaluating
from raincheck.plugins.passes import uncounted
from raincheck.processes import is_first
from raincheck.seam.loaders import innermost

CEILING = 60.0  # dB; a clip without rain that comes back whole must not outweigh all others


class BestWeights(SupervisedPlugin):
    """Scores the model on held-out clips now and then, and writes `best.safetensors` beside a run's checkpoints.

    The clips are random crops of the test videos of every task of the stream, under varied rain; always the same ones.
    The score is their mean psnr_rgb. It decides nothing but which weights are kept. A strategy without `checkpoints`,
    such as Avalanche's own, keeps none.

    Args:
        every: steps between two scores.
        clips: of each task.

    Attributes:
        best: the highest score so far, dB.

    Raises:
        ConfigError: if a number is below 1.
    """

    def __init__(self, every: int = 1000, clips: int = 24) -> None:
        super().__init__()
        if every < 1 or clips < 1:
            raise ConfigError(f"BestWeights cannot look every {every} steps at {clips} clips; give 1 or more")
        self.every, self.clips, self.best = every, clips, 0.0
        self._held: tuple[torch.Tensor, torch.Tensor] | None = None

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Scores the model, when it is time."""
        if (strategy.clock.train_iterations + 1) % self.every == 0:
            self._score(strategy)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Scores it at the end of a task too, when the learning rate has fallen."""
        self._score(strategy)

    def _score(self, strategy: Any) -> None:
        folder = getattr(strategy, "checkpoints", None)
        if folder is None:
            return
        rainy, clean = self._clips(strategy)
        with torch.no_grad(), evaluating(strategy.model), uncounted(strategy):
            derained = torch.cat([strategy.model(part.to(strategy.device)).cpu() for part in torch.split(rainy, 8)])
        score = float(psnr_rgb(derained.float().clamp(0, 1), clean).clamp(max=CEILING).mean())
        if score > self.best:
            self.best = score
            if is_first():
                folder.parent.mkdir(parents=True, exist_ok=True)
                about = {"step": str(strategy.clock.train_iterations), "score": f"{score:.2f}"}
                save_weights(strategy.model, folder.parent / "best.safetensors", about)

    def _clips(self, strategy: Any) -> tuple[torch.Tensor, torch.Tensor]:
        if self._held is None:
            size = strategy.experience.dataset[0][0].shape
            items = []
            for task in strategy.experience.origin_stream.benchmark.test_stream:
                test: TestClips = innermost(task.dataset)[0]
                held = TrainClips(
                    test.videos, window=size[0], crop=size[-1], samples=self.clips, seed=0, experience=test.experience
                )
                items += [held[index][:2] for index in range(self.clips)]
            self._held = torch.stack([rainy for rainy, _ in items]), torch.stack([clean for _, clean in items])
        return self._held

    def state_dict(self) -> dict[str, Any]:
        """The best score so far."""
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` gave."""
        self.best = state["best"]
