"""Training clips vary as they did before by default, and as kornia says beyond that: rainy and clean alike."""

from pathlib import Path
from typing import Any

import kornia.augmentation as K
import numpy as np
import pytest
import torch
from kornia.geometry.transform import crop_by_indices
from torch import Tensor
from torch.utils.data import DataLoader

from program import PATIENCE
from raincheck.config import build, parse
from raincheck.datasets.augment import Augment
from raincheck.datasets.base import random_window
from raincheck.datasets.clips import TestClips, TrainClips
from raincheck.datasets.folder import PairedFolders
from raincheck.errors import ConfigError
from raincheck.video.pixels import to_float, to_uint8
from tinytasks import TinyVideo, tiny_video
from tinyvideo import noise, write_folder, write_video

EVERYTHING: dict[str, Any] = {"mirror": 0.5, "upside_down": 0.5, "reverse": 0.5, "brightness": 0.3}


def clips(video: Any, **kwargs: Any) -> TrainClips:
    return TrainClips([video], window=5, crop=16, samples=40, seed=3, experience=1, **kwargs)


def clip(seed: int = 0) -> Tensor:
    return torch.from_numpy(noise(5, 12, 14, seed)).permute(0, 3, 1, 2)


def augmented(augment: Augment, seed: int, rainy: Tensor, clean: Tensor | None = None) -> tuple[Tensor, Tensor]:
    return augment(np.random.default_rng(seed), rainy, rainy if clean is None else clean)


def test_by_default_half_of_the_clips_are_mirrored_by_the_number_after_the_crop() -> None:
    video, mirrored = tiny_video("streaks", 0), 0
    for index in range(40):
        rng = np.random.default_rng((3, 1, index))
        rng.integers(1)  # which video
        rainy, clean = video.sample(rng, 5, 16)
        if rng.random() < 0.5:
            rainy, clean, mirrored = rainy.flip(-1), clean.flip(-1), mirrored + 1
        ours = clips(video).pair(index)
        assert torch.equal(ours[0], rainy) and torch.equal(ours[1], clean)
    assert 10 < mirrored < 30


def test_the_crop_is_that_of_kornia() -> None:
    video = tiny_video("veil", 0)
    for seed in range(5):
        start, top, left = random_window(np.random.default_rng(seed), len(video), video.size, 5, 16, "")
        corners = torch.tensor([[left, top], [left + 15, top], [left + 15, top + 15], [left, top + 15]])
        for part, whole in zip(video.sample(np.random.default_rng(seed), 5, 16), video.read(start, 5), strict=True):
            assert torch.equal(part, crop_by_indices(whole, corners.expand(5, 4, 2)))


def test_rainy_and_clean_and_all_frames_are_treated_alike() -> None:
    augment, still = Augment(**EVERYTHING), clip()[:1].expand(5, -1, -1, -1)
    changed = 0
    for seed in range(12):
        rainy, clean = augmented(augment, seed, clip())
        assert torch.equal(rainy, clean)
        changed += not torch.equal(rainy, clip())
        frames, _ = augmented(augment, seed, still)
        assert torch.equal(frames, frames[:1].expand_as(frames))
    assert changed > 9


@pytest.mark.parametrize(("name", "dim"), [("mirror", -1), ("upside_down", -2), ("reverse", 0)])
def test_each_turns_its_own_direction_as_often_as_asked(name: str, dim: int) -> None:
    nothing = {"mirror": 0.0, "upside_down": 0.0, "reverse": 0.0}
    always, sometimes = Augment(**{**nothing, name: 1.0}), Augment(**{**nothing, name: 0.3})
    rainy, clean = augmented(always, 0, clip(), clip(1))
    assert torch.equal(rainy, clip().flip(dim)) and torch.equal(clean, clip(1).flip(dim))
    assert torch.equal(augmented(Augment(**nothing), 0, clip())[0], clip())
    turned = [not torch.equal(augmented(sometimes, seed, clip())[0], clip()) for seed in range(200)]
    assert 35 < sum(turned) < 85  # 60 expected, standard deviation 6.5


def test_brightness_multiplies_all_by_one_factor() -> None:
    augment, factors = Augment(mirror=0, brightness=0.4), []
    for seed in range(40):
        grey, half = (torch.full((5, 3, 4, 4), level, dtype=torch.uint8) for level in (100, 50))
        rainy, clean = augmented(augment, seed, grey, half)
        assert rainy.unique().numel() == clean.unique().numel() == 1
        factors.append(float(rainy.flatten()[0]) / 100)
        assert abs(float(clean.flatten()[0]) - 50 * factors[-1]) <= 0.75  # both are rounded
    assert min(factors) >= 0.6 and max(factors) <= 1.4 and max(factors) - min(factors) > 0.5


def test_kornias_part_is_what_kornia_does_to_a_pair() -> None:
    """Its own way to treat two videos alike, with the same numbers drawn."""
    gamma = K.RandomGamma((0.5, 2.0), p=0.8)
    augment = Augment(upside_down=0.5, brightness=0.3, more=[gamma])
    steps = K.RandomVerticalFlip(p=0.5), K.ColorJitter(brightness=0.3, p=1.0), gamma
    pairwise = K.AugmentationSequential(K.VideoSequential(*steps), data_keys=["input", "input"])
    for seed in range(10):
        rng = np.random.default_rng(seed)
        mirrored, _ = rng.random() < 0.5, rng.random()
        torch.manual_seed(int(rng.integers(2**63)))
        start = [c.flip(-1) if mirrored else c for c in (clip(), clip(1))]
        expected = pairwise(*(to_float(c)[None] for c in start))
        for ours, theirs in zip(augmented(augment, seed, clip(), clip(1)), expected, strict=True):
            assert torch.equal(ours, to_uint8(theirs[0]))


def test_the_global_generator_is_left_alone_and_decides_nothing() -> None:
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        results.append(augmented(Augment(**EVERYTHING), 5, clip())[0])
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*results)


def test_out_of_range() -> None:
    for name, value in (("mirror", 1.1), ("reverse", -0.1), ("brightness", 1.0)):
        with pytest.raises(ConfigError, match=f"augment.{name} must be 0 or more and .*, not {value}; correct it"):
            Augment(**{name: value})


def test_a_configuration_names_them() -> None:
    task = '[{"class_path": "raincheck.datasets.rendered.RenderedRain", "init_args": {"name": "a", "rain": "thin"}}]'
    config = parse(
        ["--stream.tasks", task, "--stream.augment.brightness", "0.2", "--stream.augment", '{"reverse": 0.5}']
    )
    assert build(config).stream.augment == Augment(brightness=0.2, reverse=0.5)
    assert build(parse(["--stream.tasks", task])).stream.augment == Augment()


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two training videos, a file and a folder, and one to test on."""
    root = tmp_path_factory.mktemp("trees")
    for shift, kind in enumerate(("rainy", "clean")):
        (root / kind).mkdir()
        for index, name in enumerate(("a.mp4", "z.mp4")):
            write_video(root / kind / name, noise(40, 48, 64, 10 * index + shift), g="10")
        write_folder(root / kind / "frames", noise(12, 48, 64, 40 + shift))
    return root


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_changes_nothing(trees: Path, workers: int) -> None:
    """Through decord or Pillow, memory that workers share, and every augmentation."""

    def batches(workers: int) -> list[Tensor]:
        videos = PairedFolders("x", "rainy", "clean", root=str(trees)).task(0).train
        data = TrainClips(videos, window=5, crop=24, samples=40, seed=0, experience=0, augment=Augment(**EVERYTHING))
        loader: DataLoader[Any] = DataLoader(
            data, batch_size=8, num_workers=workers, timeout=PATIENCE if workers else 0
        )
        return [part for batch in loader for part in batch]

    assert all(torch.equal(one, other) for one, other in zip(batches(0), batches(workers), strict=True))


def test_a_pair_stays_a_pair(trees: Path) -> None:
    """A video that is its own twin gives clips that are their own twins."""
    video = tiny_video("veil", 1)
    own = TinyVideo("own", video.clean, video.clean)
    data = clips(own, augment=Augment(**EVERYTHING))
    assert all(torch.equal(*data.pair(index)) for index in range(len(data)))


@pytest.mark.parametrize("window", [1, 3, 5, 7])
def test_ends_are_the_windows_that_test_frames_near_an_end_have(window: int) -> None:
    """Of a video of one window's length, which a training clip shows whole."""
    frames = torch.from_numpy(noise(window, 16, 16)).permute(0, 3, 1, 2)
    video = TinyVideo("x", frames, frames // 2)
    scored = TestClips([video], window=window, experience=1)
    radius = window // 2
    near = {i for i in range(window) if i < radius or i >= window - radius} or {0}
    plain, ended = (
        TrainClips([video], window=window, crop=16, samples=60, seed=0, experience=1, augment=augment)
        for augment in (Augment(mirror=0), Augment(mirror=0, ends=1))
    )
    found = set()
    for index in range(60):
        rainy, clean, _ = ended[index]
        found |= {i for i in range(window) if torch.equal(rainy, scored[i][0]) and torch.equal(clean, scored[i][1])}
        assert torch.equal(plain[index][0], scored[radius][0])
    assert found == near
