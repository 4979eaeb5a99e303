"""Clips as lossy files give them back."""

import io
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from raincheck.datasets.rendered import RenderedRain
from raincheck.datasets.rendering.compressed import as_jpegs, as_video, compress
from raincheck.datasets.rendering.variety import Variety
from tinyvideo import smooth


@pytest.fixture
def clip() -> Tensor:
    """A picture with detail that moves, `(5, 3, 48, 64)`."""
    frames = torch.from_numpy(smooth(5, 48, 64)).permute(0, 3, 1, 2).contiguous()
    frames[..., ::7] = frames[..., ::7] // 2
    return frames


def error(a: Tensor, b: Tensor) -> float:
    return float((a.float() - b.float()).abs().mean())


@pytest.mark.parametrize(("store", "coarse", "fine"), [(as_jpegs, 30, 95), (as_video, 40, 10)])
def test_coarser_files_lose_more(clip: Tensor, store: Callable[[Tensor, int], Tensor], coarse: int, fine: int) -> None:
    rough, good = store(clip, coarse), store(clip, fine)
    assert rough.shape == good.shape == clip.shape and rough.dtype == torch.uint8 and rough.is_contiguous()
    assert 0 < 2 * error(good, clip) < error(rough, clip) < 20
    assert torch.equal(rough, store(clip, coarse))


def test_jpeg_frames_are_what_pillow_reads_again(clip: Tensor) -> None:
    file = io.BytesIO()
    Image.fromarray(clip[3].permute(1, 2, 0).numpy()).save(file, "JPEG", quality=60)
    np.testing.assert_array_equal(as_jpegs(clip, 60)[3].permute(1, 2, 0).numpy(), np.array(Image.open(file)))


def test_video_keeps_the_order_of_frames(clip: Tensor) -> None:
    for place, frame in enumerate(as_video(clip, 15)):
        assert min(range(len(clip)), key=lambda other: error(frame, clip[other])) == place


ENCODE = """
import sys, numpy, torch
from raincheck.datasets.rendering.compressed import as_video
for size in (17, 64, 96):
    noise = numpy.random.default_rng(size).integers(0, 256, (5, 3, size, size), dtype=numpy.uint8)
    sys.stdout.buffer.write(as_video(torch.from_numpy(noise), 20).numpy().tobytes())
"""


@pytest.mark.slow
def test_video_does_not_depend_on_what_memory_held_before() -> None:
    def encoded(byte: str) -> bytes:
        environment = {**os.environ, "MALLOC_PERTURB_": byte}  # glibc fills what is freed, and what is allocated anew
        return subprocess.run([sys.executable, "-c", ENCODE], env=environment, check=True, capture_output=True).stdout

    assert encoded("1") == encoded("200") != b""


@pytest.mark.parametrize(("height", "width"), [(47, 63), (47, 64), (48, 63), (1, 1)])
def test_odd_sides_are_as_those_of_a_clip_that_is_a_pixel_longer(clip: Tensor, height: int, width: int) -> None:
    odd = clip[..., :height, :width]
    even = torch.cat([odd, odd[..., -1:, :]], -2) if height % 2 else odd
    even = torch.cat([even, even[..., -1:]], -1) if width % 2 else even
    assert torch.equal(as_video(odd, 20), as_video(even, 20)[..., :height, :width])
    assert error(as_video(odd, 20), odd) < 10


def test_twins_are_in_files_of_one_kind_and_quality(clip: Tensor) -> None:
    kinds = set()
    for seed in range(8):
        one, other = compress((clip, clip.clone()), np.random.default_rng(seed))
        assert torch.equal(one, other)
        kinds.add(torch.equal(one[1], compress((clip[1:2],), np.random.default_rng(seed))[0][0]))
    assert kinds == {True, False}  # JPEG frames know nothing of one another


def test_as_many_numbers_are_drawn_whatever_the_kind(clip: Tensor) -> None:
    after = set()
    for seed in range(8):
        rng, twin = np.random.default_rng(seed), np.random.default_rng(seed)
        compress((clip,), rng)
        twin.random(), twin.integers(50, 96), twin.integers(18, 31)
        after.add(rng.random() == twin.random())
    assert after == {True}


def test_a_training_clip_has_the_same_rain_compressed_or_not() -> None:
    def sampled(share: float, seed: int) -> tuple[Tensor, Tensor]:
        variety = Variety(compressed=share)
        video = RenderedRain("x", "thin", photographs="bundled", variety=variety).task(0).train[0]
        return video.sample(np.random.default_rng(seed), 5, 32)

    for plain, compressed, other in zip(sampled(0, 3), sampled(1, 3), sampled(0, 4), strict=True):
        assert 0 < 3 * error(plain, compressed) < error(plain, other)
