"""rain_stream: a real Avalanche benchmark over tasks."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from avalanche.benchmarks.scenarios.generic_scenario import CLScenario
from torch.utils.data import DataLoader, Dataset

from raincheck.datasets.base import Task
from raincheck.datasets.pair import PairedFootage
from raincheck.datasets.rendered import RenderedRain
from raincheck.datasets.rendering.video import RenderedVideo
from raincheck.errors import ConfigError, InputError
from raincheck.rain.presets import PRESETS
from raincheck.streams import rain_stream
from tinytasks import KINDS, tiny_stream, tiny_task, tiny_tasks, tiny_video


def test_a_benchmark_of_avalanche_with_names_order_and_labels() -> None:
    tasks = tiny_tasks()[::-1]
    stream = rain_stream(tasks, window=3, crop=16, samples=6)
    assert isinstance(stream, CLScenario) and set(stream.streams) == {"train", "test"}
    for part in (stream.train_stream, stream.test_stream):
        assert [experience.name for experience in part] == list(KINDS[::-1])
        assert [experience.current_experience for experience in part] == [0, 1, 2]
        assert all({item[-1] for item in e.dataset} == {e.current_experience} for e in part)
        assert all(e.origin_stream is part for e in part)
    assert [len(e.dataset) for e in stream.train_stream] == [6, 6, 6]
    assert [len(e.dataset) for e in stream.test_stream] == [11, 11, 11]  # every frame of both test videos


def test_items() -> None:
    stream = tiny_stream()
    rainy, clean, label = stream.train_stream[1].dataset[5]
    assert (rainy.shape, clean.shape, label) == ((3, 3, 16, 16), (3, 16, 16), 1)
    assert rainy.dtype == clean.dtype == torch.float32 and clean.min() >= 0 and rainy.max() <= 1
    # The last frame of the first test video; the window's end is reflected.
    video = tiny_task(KINDS[1]).test[0]
    rainy, clean, index, label = stream.test_stream[1].dataset[6]
    assert (index, label) == (0, 1)
    assert torch.equal(rainy, video.read(0, 7)[0][[5, 6, 5]].float() / 255)
    assert torch.equal(clean, video.read(6, 1)[1][0].float() / 255)


def test_samples_are_functions_of_seed_experience_and_index() -> None:
    first, again, other = (tiny_stream(seed=seed).train_stream[1].dataset for seed in (3, 3, 4))
    torch.manual_seed(5)  # nothing that others draw matters, nor does the order of access
    backwards = [again[i] for i in reversed(range(24))][::-1]
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(first, backwards, strict=True))
    assert not any(torch.equal(first[i][0], other[i][0]) for i in range(24))
    assert not torch.equal(first[0][0], first[1][0])
    longer = tiny_stream(48, seed=3).train_stream[1].dataset
    assert torch.equal(longer[23][0], first[23][0])
    # Another experience draws other windows of the very same videos.
    twice = [tiny_task("veil"), Task("veil again", tiny_task("veil").train, tiny_task("veil").test)]
    one, two = (experience.dataset for experience in tiny_stream(tasks=twice).train_stream)
    assert not any(torch.equal(one[i][0], two[i][0]) for i in range(24))


def test_workers_change_nothing() -> None:
    data = tiny_stream().train_stream[2].dataset
    alone, helped = (list(DataLoader(data, batch_size=4, num_workers=workers)) for workers in (0, 2))
    assert len(alone) == len(helped) == 6
    for batch, same in zip(alone, helped, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(batch, same, strict=True))


class Niceness:
    """A video whose clips show the niceness of the process that cut them."""

    name, size = "niceness", (16, 16)

    def __len__(self) -> int:
        return 9

    def sample(self, rng: np.random.Generator, count: int, crop: int) -> tuple[torch.Tensor, torch.Tensor]:
        clip = torch.full((count, 3, crop, crop), os.nice(0), dtype=torch.uint8)
        return clip, clip

    read = sample


@pytest.mark.parametrize("learn", ["in_turn", "joint"])
@pytest.mark.skipif(os.nice(0) > 14, reason="a process that is this nice cannot be nicer")
def test_workers_leave_the_cores_to_the_process_that_learns(learn: str) -> None:
    tasks = [Task(name, [Niceness()], tiny_task(name).test) for name in KINDS]
    data = tiny_stream(tasks=tasks, learn=learn).train_stream[0].dataset
    alone, helped = (next(iter(DataLoader(data, 8, num_workers=workers))) for workers in (0, 1))
    assert {round(float(clip.mean() * 255)) for clip in alone[0]} == {os.nice(0)}
    assert {round(float(clip.mean() * 255)) for clip in helped[0]} == {os.nice(0) + 5}


def test_a_worker_that_is_told_to_end_does_so_as_one_that_has_done_its_work() -> None:
    batches = iter(DataLoader(tiny_stream().train_stream[0].dataset, 4, num_workers=1))
    next(batches)
    (worker,) = batches._workers  # type: ignore[attr-defined]
    os.kill(worker.pid, signal.SIGTERM)
    worker.join(60)
    assert worker.exitcode == 0


class InAThread(Dataset[Any]):
    """Data that another thread fetches."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self.data.__getitem__, index).result()


def test_a_worker_may_fetch_in_another_thread() -> None:
    data = tiny_stream().train_stream[0].dataset
    batch = next(iter(DataLoader(InAThread(data), 4, num_workers=1)))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(batch, next(iter(DataLoader(data, 4))), strict=True))


def test_joint_takes_turns() -> None:
    apart, joint = tiny_stream(8), tiny_stream(8, learn="joint")
    assert len(joint.train_stream) == 1 and len(joint.test_stream) == 3
    data = joint.train_stream[0].dataset
    assert [item[-1] for item in data] == [0, 1, 2] * 8
    for index, (rainy, clean, _) in enumerate(data):
        twin = apart.train_stream[index % 3].dataset[index // 3]
        assert torch.equal(rainy, twin[0]) and torch.equal(clean, twin[1])


def test_cumulative_takes_turns_among_the_tasks_so_far_in_as_many_clips() -> None:
    apart, cumulative = tiny_stream(8), tiny_stream(8, learn="cumulative")
    assert [len(experience.dataset) for experience in cumulative.train_stream] == [8, 8, 8]
    for position, experience in enumerate(cumulative.train_stream):
        assert [item[-1] for item in experience.dataset] == [i % (position + 1) for i in range(8)]
        rainy, clean, source = experience.dataset[7]
        twin = apart.train_stream[source].dataset[7 // (position + 1)]
        assert torch.equal(rainy, twin[0]) and torch.equal(clean, twin[1])


def test_what_cannot_be_a_stream() -> None:
    veil = tiny_task("veil")
    with pytest.raises(ConfigError, match=r"tasks with different names, not \['veil', 'veil'\]; rename or add tasks$"):
        tiny_stream(tasks=[veil, veil])
    with pytest.raises(ConfigError, match=r"^a stream needs one or more tasks with different names, not \[\]"):
        rain_stream([])
    with pytest.raises(ConfigError, match=r"^experience 1 is empty: it has 0 training videos and 24 samples; "):
        tiny_stream(tasks=[veil, Task("none", [], veil.test)])
    with pytest.raises(ConfigError, match=r"^experience 0 is empty: it has 3 training videos and 0 samples; "):
        tiny_stream(0)
    with pytest.raises(InputError, match=r"^experience 1 has no test frames; give it at least one test video$"):
        tiny_stream(tasks=[veil, Task("none", veil.train, [])])


def test_videos_smaller_than_a_clip_are_named() -> None:
    short = Task("short", [tiny_video("veil", 0, frames=2)], [tiny_video("veil", 1)])
    with pytest.raises(InputError, match=r"^veil-0: 2 frames of 32x32 are too few or too small for clips of 3 frames "):
        tiny_stream(tasks=[short]).train_stream[0].dataset[0]


@pytest.mark.parametrize(("frames", "side"), [(2, 32), (7, 15)])
def test_footage_smaller_than_a_clip_is_named_before_anything_is_learned(frames: int, side: int) -> None:
    """Where it is known how long and how large the footage is."""
    rainy, clean = (FilmOf(name, frames, side) for name in ("rainy", "clean"))
    for video in (
        PairedFootage("small", rainy, clean),
        RenderedVideo(FilmOf("small", frames, side), (PRESETS["thin"],)),
    ):
        sentence = f"^small: {frames} frames of {side}x{side} are too few or too small for clips of 3 frames of 16x16; "
        with pytest.raises(InputError, match=sentence):
            tiny_stream(tasks=[Task("short", [video], [tiny_video("veil", 1)])])


class FilmOf:
    """Black frames."""

    def __init__(self, name: str, frames: int, side: int) -> None:
        self.name, self.frames, self.size = name, frames, (side, side)

    def __len__(self) -> int:
        return self.frames

    def read(self, start: int, count: int) -> torch.Tensor:
        return torch.zeros(count, 3, *self.size, dtype=torch.uint8)


def test_photographs_are_filmed_at_any_size() -> None:
    task = RenderedRain("films", "thin", photographs="bundled", test_frames=2).task(0)
    assert len(rain_stream([task], window=3, crop=320, samples=2).train_stream) == 1
