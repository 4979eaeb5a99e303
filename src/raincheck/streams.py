"""Ordered tasks as an Avalanche benchmark: one rain type is one experience."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from avalanche.benchmarks.scenarios.dataset_scenario import DatasetExperience
from avalanche.benchmarks.scenarios.generic_scenario import CLScenario, EagerCLStream
from avalanche.benchmarks.utils import AvalancheDataset
from torch import Tensor
from torch.utils.data import Dataset

from raincheck.datasets.augment import Augment
from raincheck.datasets.base import Task
from raincheck.datasets.clips import TestClips, TrainClips, refuse_short
from raincheck.errors import ConfigError
from raincheck.ways import WAYS, Learn

Benchmark: TypeAlias = CLScenario  # of Avalanche's name, for modules that do not know Avalanche


class RainExperience(DatasetExperience):
    """One rain type.

    Args:
        name: of the task.
        dataset: clips; see `TrainClips` and `TestClips` for their items.
        position: in learning order; also the label that every clip of the task carries.
    """

    def __init__(self, name: str, dataset: Dataset[Any], position: int) -> None:
        super().__init__(dataset=AvalancheDataset([dataset]), current_experience=position)
        self.name = name


class Interleaved(Dataset[Any]):
    """Several data sets of equal length as one, in turn: several rains at once.

    Args:
        datasets: one or more.
        samples: how many clips of all together, from the beginning of each; no more than there are.
    """

    by_index = True

    def __init__(self, datasets: Sequence[TrainClips], samples: int) -> None:
        self.datasets, self.samples = datasets, samples

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        turn, source = divmod(index, len(self.datasets))
        return self.datasets[source][turn]


def rain_stream(
    tasks: Sequence[Task],
    *,
    window: int = 5,
    crop: int = 64,
    samples: int = 4800,
    seed: int = 0,
    learn: Learn = "in_turn",
    augment: Augment | None = None,
) -> Benchmark:
    """Builds the benchmark that a strategy learns.

    Args:
        tasks: in learning order.
        window: frames of a clip, odd.
        crop: height and width of a training clip in pixels.
        samples: training clips a task.
        seed: of the training clips.
        learn: `in_turn`, one experience a task with the task's clips. `joint`, one experience with all tasks' clips,
            as many as in turn. `cumulative`, one a task with as many clips, in equal parts of all tasks so far.
            `individual` is in turn here: that each task is learned from the first weights is up to who learns. The
            test stream is always the same.
        augment: how training clips vary besides their crop; by default half of them are mirrored.

    Returns:
        A benchmark with `.train_stream` and `.test_stream`; each experience has `.name` and `.dataset`.

    Raises:
        ConfigError: if there are no tasks, two have one name, or one has no training video.
        InputError: if a task has no test frame, or a training video that is shorter or smaller than a clip.
    """
    names = [task.name for task in tasks]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"a stream needs one or more tasks with different names, not {names}; rename or add tasks")
    for task in tasks:
        refuse_short(task.train, window, crop)
    train = [
        TrainClips(task.train, window=window, crop=crop, samples=samples, seed=seed, experience=i, augment=augment)
        for i, task in enumerate(tasks)
    ]
    way = WAYS[learn]
    if way.at_once:
        experiences = [RainExperience(learn, Interleaved(train, samples * len(train)), 0)]
    else:
        data = [Interleaved(train[: i + 1], samples) if way.with_earlier else own for i, own in enumerate(train)]
        experiences = [RainExperience(name, own, i) for i, (name, own) in enumerate(zip(names, data, strict=True))]
    tests = [
        RainExperience(task.name, TestClips(task.test, window=window, experience=i), i) for i, task in enumerate(tasks)
    ]
    benchmark = CLScenario([EagerCLStream("train", experiences), EagerCLStream("test", tests)])
    for stream in benchmark.streams.values():
        stream.benchmark = benchmark  # Avalanche leaves it None; a plugin finds the test stream by it
    return benchmark
