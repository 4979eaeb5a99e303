"""The same learning in a loop by hand, in Avalanche's own loop and in LightningStrategy, with a watch in the loss."""

import copy
import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.templates import SupervisedTemplate
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from raincheck.plugins import Distillation, RainReview
from raincheck.strategy import LightningStrategy
from raincheck.video.pixels import to_float, to_uint8

BATCH, RATE = 8, 1e-3
REVIEWED, DISTILLED = 4, 0.5  # clips added to a batch, and weight of the teacher's term

Learn = Callable[[int], None]  # the task of a number


class Stopwatch(nn.Module):
    """The L1 loss, which notes when it is called."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device = device
        self.calls: list[float] = []

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """A scalar."""
        self.note()
        return F.l1_loss(output, target)

    def note(self) -> None:
        """Notes the time, when all that was asked of the GPU before is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.calls.append(time.perf_counter())


def by_hand(method: str, network: nn.Module, loss: Stopwatch, data: Sequence[TensorDataset]) -> Learn:
    """The loops that a tutorial would show."""
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    memory: list[tuple[Tensor, Tensor]] = []
    teacher: list[nn.Module] = []

    def finetune(task: int) -> None:
        network.train()
        for rainy, clean, _ in DataLoader(data[task], batch_size=BATCH):
            optimizer.zero_grad()
            loss(network(rainy.to(loss.device)), clean.to(loss.device)).backward()
            optimizer.step()

    def rrgnet(task: int) -> None:
        network.train()
        for step, (rainy, clean, _) in enumerate(DataLoader(data[task], batch_size=BATCH)):
            rainy, clean = rainy.to(loss.device), clean.to(loss.device)
            if memory:
                old_rainy, old_clean = recall(*memory[0], step)
                rainy = torch.cat((rainy, old_rainy.to(loss.device)))
                clean = torch.cat((clean, old_clean.to(loss.device)))
            optimizer.zero_grad()
            derained = network(rainy)
            total = loss(derained, clean)
            if teacher:
                with torch.no_grad():
                    target = teacher[0](rainy[BATCH:])
                total = total + DISTILLED * F.l1_loss(derained[BATCH:], target)
            total.backward()
            optimizer.step()
        if task == 0:
            rainy, clean, _ = data[task].tensors
            order = np.random.default_rng((0, 0)).choice(len(rainy), len(rainy), replace=False)
            memory.append((to_uint8(rainy[order]), to_uint8(clean[order])))
            teacher.append(copy.deepcopy(network).eval().requires_grad_(False))

    return finetune if method == "finetune" else rrgnet


def recall(rainy: Tensor, clean: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Random clips of the memory, some mirrored: those that RainReview draws at this step of the second task."""
    rng = np.random.default_rng((0, 1, step))
    chosen = rng.choice(len(rainy), REVIEWED, replace=False)
    mirrored = rng.random(REVIEWED) < 0.5
    rainy, clean = (
        torch.stack([kept[i].flip(-1) if mirror else kept[i] for i, mirror in zip(chosen, mirrored, strict=True)])
        for kept in (rainy, clean)
    )
    return to_float(rainy), to_float(clean)


def by_strategy(
    loop: str, method: str, network: nn.Module, loss: Stopwatch, data: Sequence[TensorDataset], folder: str
) -> Learn:
    """An Avalanche strategy, in its own loop or Lightning's."""
    plugins = [] if method == "finetune" else [RainReview(batch=REVIEWED), Distillation(DISTILLED)]
    logging = {"trainer": {"logger": CSVLogger(folder), "log_every_n_steps": 1}} if loop == "logging" else {}
    strategy = (SupervisedTemplate if loop == "avalanche" else LightningStrategy)(
        model=network,
        optimizer=torch.optim.Adam(network.parameters(), lr=RATE),
        criterion=loss,
        train_mb_size=BATCH,
        device=loss.device,
        plugins=plugins,
        evaluator=None,
        **logging,
    )
    stream = benchmark_from_datasets(train=[AvalancheDataset([task]) for task in data]).train_stream
    return lambda task: strategy.train(stream[task], shuffle=False)


def quiet() -> None:
    """Silences what libraries say about themselves."""
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="avalanche")
    warnings.filterwarnings("ignore", message="Avalanche is transitioning")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # inside Lightning
    warnings.filterwarnings("ignore", message="No loggers specified")  # expected: nothing is logged here
