"""Ordered tasks as an Avalanche benchmark: one rain type is one experience."""

from collections.abc import Sequence
from typing import Any

from avalanche.benchmarks.scenarios.dataset_scenario import DatasetExperience
from avalanche.benchmarks.scenarios.generic_scenario import CLScenario, EagerCLStream
from avalanche.benchmarks.utils import AvalancheDataset
from torch import Tensor
from torch.utils.data import Dataset

from raincheck.datasets.base import Task, TestClips, TrainClips
from raincheck.errors import ConfigError


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
    """Several data sets of equal length as one, in turn: the stream of the upper bound, all rains at once."""

    by_index = True

    def __init__(self, datasets: Sequence[TrainClips]) -> None:
        self.datasets = datasets

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        turn, source = divmod(index, len(self.datasets))
        return self.datasets[source][turn]


def rain_stream(
    tasks: Sequence[Task], *, window: int = 5, crop: int = 64, samples: int = 4800, seed: int = 0, joint: bool = False
) -> CLScenario:
    """Builds the benchmark that a strategy learns.

    Args:
        tasks: in learning order.
        window: frames of a clip, odd.
        crop: height and width of a training clip in pixels.
        samples: training clips a task.
        seed: of the training clips.
        joint: one training experience with all tasks' clips in turn, instead of one a task; the test stream stays.

    Returns:
        A benchmark with `.train_stream` and `.test_stream`; each experience has `.name` and `.dataset`.

    Raises:
        ConfigError: if there are no tasks, two have one name, or one has no training video.
        InputError: if a task has no test frame.
    """
    names = [task.name for task in tasks]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"a stream needs one or more tasks with different names, not {names}; rename or add tasks")
    train = [
        TrainClips(task.train, window=window, crop=crop, samples=samples, seed=seed, experience=i)
        for i, task in enumerate(tasks)
    ]
    if joint:
        experiences = [RainExperience("joint", Interleaved(train), 0)]
    else:
        experiences = [RainExperience(name, data, i) for i, (name, data) in enumerate(zip(names, train, strict=True))]
    tests = [
        RainExperience(task.name, TestClips(task.test, window=window, experience=i), i) for i, task in enumerate(tasks)
    ]
    return CLScenario([EagerCLStream("train", experiences), EagerCLStream("test", tests)])
