"""Shots: found where they are, not found where they are not, and never mixed."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
import torch
from einops import rearrange
from skimage import data
from torch import Tensor

from raincheck.datasets.clips import TestClips
from raincheck.deraining import derain, derain_frames
from raincheck.networks import RRGNet, save_weights
from raincheck.video.cuts import shots
from raincheck.video.reading.decode import open_stream
from tinytasks import TinyVideo

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
CPU = torch.device("cpu")


def pan(name: str, count: int = 8, step: int = 12) -> Tensor:
    """A camera that moves fast over a photograph, uint8 `(t, c, h, w)`: `step` pixels of 160 a frame."""
    picture = torch.from_numpy(getattr(data, name)()[..., :3].copy())
    frames = [picture[40 : 40 + 96, 20 + step * i : 20 + step * i + 160] for i in range(count)]
    return rearrange(frames, "t h w c -> t c h w").contiguous()


def cuts(frames: Iterable[Tensor]) -> list[int]:
    """The indices of the frames that begin a shot, but for the first."""
    numbers = [number for _, number in shots(frames, lambda frame: frame)]
    return [index for index in range(1, len(numbers)) if numbers[index] != numbers[index - 1]]


NAMES = ["astronaut", "chelsea", "coffee"]


def test_cuts_between_moving_shots_are_found_and_nothing_else() -> None:
    shots = [pan(name) for name in NAMES]
    assert cuts(torch.cat(shots)) == [8, 16]
    for shot in shots:
        assert cuts(shot) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda frames, rng: frames,
        lambda frames, rng: (frames.float() * torch.linspace(0.2, 1, len(frames)).view(-1, 1, 1, 1)).to(torch.uint8),
        lambda frames, rng: (frames + 40 * torch.from_numpy(rng.random(frames.shape) - 0.5)).clip(0, 255).byte(),
        lambda frames, rng: torch.where(
            torch.arange(len(frames)).view(-1, 1, 1, 1) == 4, 255 - (255 - frames) // 3, frames
        ),
    ],
    ids=["motion", "fade", "noise", "lightning"],
)
def test_no_cut_where_light_or_noise_changes(change) -> None:  # type: ignore[no-untyped-def]
    for name in NAMES:
        assert cuts(change(pan(name), np.random.default_rng(0))) == []


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_no_cut_where_a_shot_fades_until_only_noise_is_left(name: str, deep: bool) -> None:
    fading = pan(name, 12).float() * (0.7 ** torch.arange(12)).view(-1, 1, 1, 1)
    frames = (fading + torch.from_numpy(np.random.default_rng(0).normal(0, 4, fading.shape))).clip(0, 255)
    assert cuts((frames * 257).to(torch.uint16) if deep else frames.to(torch.uint8)) == []


@pytest.mark.parametrize("level", [0, 5, 128])
def test_flat_frames_with_noise_are_one_shot(level: int) -> None:
    rng = np.random.default_rng(0)
    frames = (level + rng.normal(0, 4, (10, 3, 48, 64))).clip(0, 255).astype(np.uint8)
    assert cuts(torch.from_numpy(frames)) == []


@pytest.mark.parametrize("lengths", [(8, 1, 8), (1, 8, 8), (8, 8, 1), (1, 8, 1), (2, 1, 2)])
def test_one_frame_can_be_a_shot(lengths: tuple[int, ...]) -> None:
    begins = list(accumulate(lengths))[:-1]
    assert cuts(torch.cat([pan(name)[:length] for name, length in zip(NAMES, lengths, strict=True)])) == begins


def test_a_picture_that_flashes_up_in_a_shot_is_one_of_its_own() -> None:
    frames = pan("astronaut", 9)
    frames[4] = pan("coffee")[0]
    assert cuts(frames) == [4, 5]


SEVENTEEN = {
    "one frame": (torch.cat([pan("astronaut"), pan("chelsea")[:1], pan("coffee")]), {9}),  # what follows waits
    "noise": (torch.randint(0, 256, (17, 3, 48, 64), dtype=torch.uint8), set(range(1, 16))),
}


@pytest.mark.parametrize("name", SEVENTEEN)
def test_frames_come_in_order_and_wait_for_one_more_at_most(name: str) -> None:
    video, late = SEVENTEEN[name]
    read: list[int] = []

    def source() -> Iterator[int]:
        for index in range(17):
            read.append(index)
            yield index

    for expected, (index, _) in enumerate(shots(source(), lambda index: video[index])):
        assert index == expected and len(read) - 1 - index == (index in late)


def test_frames_that_have_nothing_in_common_are_no_shots() -> None:
    assert cuts(torch.randint(0, 256, (20, 3, 48, 64), dtype=torch.uint8)) == []


def test_tiny_frames() -> None:
    assert cuts(torch.full((4, 3, 1, 1), 7, dtype=torch.uint8)) == []
    assert cuts(torch.cat([pan(name, step=0)[..., :31, :33] for name in NAMES])) == []  # too small to tell


def network(window: int) -> RRGNet:
    torch.manual_seed(0)
    net = RRGNet(window=window, width=4)
    torch.nn.init.normal_(net.head.weight, std=0.3)
    return net.eval()


@pytest.mark.parametrize("window", [3, 5, 7])
@pytest.mark.parametrize("lengths", [(8, 8, 8), (2, 8, 2), (3, 2, 2), (8, 1, 8), (1, 8, 1)])
def test_a_cut_is_an_end_for_windows(window: int, lengths: tuple[int, ...]) -> None:
    net = network(window)
    shots = [pan(name)[:length] for name, length in zip(NAMES, lengths, strict=True)]
    together = torch.stack(list(derain_frames(torch.cat(shots), net, CPU)))
    apart = torch.cat([torch.stack(list(derain_frames(shot, net, CPU))) for shot in shots])
    torch.testing.assert_close(together, apart, rtol=0, atol=0)
    mixed = torch.stack(list(derain_frames(torch.cat(shots), net, CPU, cuts=False)))
    assert (mixed.int() - apart.int()).abs().max() > 10  # it would matter


@pytest.mark.parametrize("window", [3, 5])
def test_cuts_around_a_part_are_those_of_the_whole(tmp_path: Path, window: int) -> None:
    save_weights(network(window), tmp_path / "w.safetensors")
    frames = torch.cat([pan(name)[:length] for name, length in zip(NAMES, (5, 1, 5), strict=True)])
    whole = list(derain(frames, weights=tmp_path / "w.safetensors"))
    for index, frame in enumerate(whole):
        start, end = f"{index}f", f"{index + 1}f"
        (part,) = derain(frames, weights=tmp_path / "w.safetensors", start=start, end=end)
        assert torch.equal(part, frame), index


@pytest.mark.parametrize("window", [1, 3, 5, 7])
@pytest.mark.parametrize("lengths", [(8, 8, 8), (2, 8, 2), (3, 2, 2), (8, 1, 8), (1, 8, 1)])
def test_windows_are_scored_as_they_are_derained(window: int, lengths: tuple[int, ...]) -> None:
    """Those of a video with cuts are those of its shots, also where rain hides what they have in common."""
    shots = [pan(name)[:length] for name, length in zip(NAMES, lengths, strict=True)]
    clean, noise = torch.cat(shots), torch.randint(0, 256, (sum(lengths), 3, 96, 160), dtype=torch.uint8)
    for rainy in (clean, noise):
        apart = [TinyVideo("x", *pair) for pair in zip(rainy.split(lengths), clean.split(lengths), strict=True)]
        whole, parts = (
            TestClips(videos, window=window, experience=0) for videos in ([TinyVideo("x", rainy, clean)], apart)
        )
        assert len(whole) == len(parts) == sum(lengths)
        for (seen, twin, *_), (own, own_twin, *_) in zip(whole, parts, strict=False):
            assert torch.equal(seen, own) and torch.equal(twin, own_twin)


# Where shots of the clips change: published for bikes; looked at for running_car and cockatoo, which wipe and dissolve.
CLIPS = {"bikes.mp4": {30, 76, 137, 187, 242}, "running_car.mp4": {270, 271, 272, 273, 274}, "cockatoo.mp4": set()}


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data beside the project")
def test_real_clips_are_cut_where_their_shots_change() -> None:
    for path in sorted([*(DATA / "clean").iterdir(), *(DATA / "rainy").iterdir()]):
        found = set(cuts(open_stream(path).frames()))
        allowed = CLIPS.get(path.name, set())
        assert found <= allowed, path
        if path.name == "bikes.mp4":
            assert found == allowed


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data beside the project")
def test_cuts_of_a_street_and_no_cut_of_a_fast_camera_in_rain() -> None:
    for name, expected in [
        ("clean/bikes.mp4", [30, 76, 137, 187, 242]),
        ("rainy/ntu_rb2", []),
        ("rainy/courtyard", []),
    ]:
        assert cuts(open_stream(DATA / name).frames()) == expected, name
