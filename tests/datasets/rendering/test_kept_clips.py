"""Clips that are kept are those that would have been rendered."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from test_rendered_rain import Noise

from raincheck.datasets.clips import TrainClips
from raincheck.datasets.excerpt import CentreCrop
from raincheck.datasets.rendered import RenderedRain
from raincheck.datasets.rendering.kept import keep
from raincheck.datasets.rendering.video import RenderedVideo
from raincheck.rain.presets import PRESETS
from raincheck.rain.render import RainField


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Counts what is rendered."""
    counted: list[int] = []
    lay = RainField.lay
    monkeypatch.setattr(RainField, "lay", lambda *given: (counted.append(1), lay(*given))[1])
    yield counted
    keep(0)


def clips(footage: Noise, rain: str = "veil", seed: int = 3) -> TrainClips:
    videos = [RenderedVideo(footage, (PRESETS[rain], PRESETS["thin"]))]
    return TrainClips(videos, window=3, crop=24, samples=6, seed=seed, experience=0)


def test_another_run_on_the_same_clips_renders_none(renders: list[int]) -> None:
    footage = Noise()
    expected = torch.stack([torch.stack(clips(footage).pair(i)) for i in range(6)])
    keep(10**7)
    for count in (12, 12):  # six before anything was kept, six new ones, then none
        found = torch.stack([torch.stack(clips(footage).pair(i)) for i in range(6)])
        assert torch.equal(found, expected) and len(renders) == count


def test_clips_of_the_same_are_kept_on_and_others_forgotten(renders: list[int]) -> None:
    footage = Noise()
    for of, count in ((("seed", 0), 1), (("seed", 0), 1), (("seed", 1), 2), (None, 3), (None, 4)):
        keep(10**7, of=of)
        clips(footage).pair(0)
        assert len(renders) == count


@pytest.mark.parametrize("change", [{"rain": "wind"}, {"seed": 4}, {"footage": Noise()}])
def test_other_clips_are_rendered(renders: list[int], change: dict[str, object]) -> None:
    footage = Noise()
    keep(10**7)
    clips(footage).pair(0)
    clips(footage).pair(0)
    assert len(renders) == 1
    clips(**{"footage": footage, **change}).pair(0)  # type: ignore[arg-type]
    assert len(renders) == 2


def test_the_generator_is_left_as_rendering_leaves_it() -> None:
    video = RenderedVideo(Noise(), (PRESETS["veil"], PRESETS["thin"]))
    numbers = []
    for room in (0, 10**7):
        keep(room)
        for _ in range(2):
            rng = np.random.default_rng(5)
            video.sample(rng, 3, 24)
            numbers.append(rng.random())
    keep(0)
    assert len(set(numbers)) == 1


def test_what_does_not_fit_is_rendered_again(renders: list[int]) -> None:
    footage, clip = Noise(), 2 * 3 * 3 * 24 * 24
    keep(4 * clip + 1)
    for count in (6, 8):  # four of six are kept
        for i in range(6):
            clips(footage).pair(i)
        assert len(renders) == count


def test_frames_to_test_on_are_kept_and_films_are_not(renders: list[int], tmp_path: Path) -> None:
    footage = Noise()
    keep(10**7)
    frames = [RenderedVideo(CentreCrop(footage, 4, (32, 32)), (PRESETS["veil"],), 7).read(2, 1)[0] for _ in range(2)]
    assert torch.equal(*frames) and len(renders) == 1
    source = RenderedRain("film", "thin", photographs="bundled", test_frames=1, test_size=(16, 16))
    for count in (2, 3):
        source.task(0).test[0].read(0, 1)
        assert len(renders) == count
