import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from raincheck.errors import InputError
from raincheck.metrics import METRICS, score_frames
from raincheck.metrics.luma import luma
from raincheck.metrics.psnr import psnr_rgb, psnr_y
from raincheck.metrics.ssim import ssim_rgb, ssim_y
from raincheck.metrics.temporal import temporal_y

Pixels = NDArray[np.uint8]
SSIM = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}


def tensor(image: Pixels) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def matlab_luma(image: Pixels) -> Pixels:
    """rgb2ycbcr as MATLAB documents it, in floating point."""
    return np.floor(image.astype(float) @ [65.481, 128.553, 24.966] / 255 + 16.5).astype(np.uint8)


def noisy(image: Pixels, seed: int) -> Pixels:
    noise = np.random.default_rng(seed).normal(0, 20, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def pictures() -> list[Pixels]:
    rng = np.random.default_rng(0)
    random = [rng.integers(0, 256, (*size, 3)).astype(np.uint8) for size in [(11, 11), (12, 37), (64, 31)]]
    return [data.astronaut()[:201, :303], data.chelsea()[50:163, 100:291], *random]


@pytest.mark.parametrize("clean", pictures(), ids=lambda image: "x".join(map(str, image.shape)))
def test_scores_are_those_of_scikit_image(clean: Pixels) -> None:
    rainy = noisy(clean, 1)
    y, clean_y = matlab_luma(rainy), matlab_luma(clean)
    expected = {
        "psnr_y": peak_signal_noise_ratio(clean_y, y, data_range=255),
        "psnr_rgb": peak_signal_noise_ratio(clean, rainy, data_range=255),
        "ssim_y": structural_similarity(clean_y, y, **SSIM),
        "ssim_rgb": structural_similarity(clean, rainy, channel_axis=-1, **SSIM),
    }
    scores = score_frames(tensor(rainy), tensor(clean))
    assert {name: scores[name].item() for name in expected} == pytest.approx(expected, abs=1e-9)
    assert all(score.dtype == torch.float64 and score.shape == () for score in scores.values())


@pytest.mark.parametrize("size", [(512, 401), (40, 512), (512, 11)])
def test_ssim_of_frames_that_are_compared_in_bands(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    clean = data.astronaut()[: size[0], : size[1]]
    rainy = noisy(clean, 1)
    expected = structural_similarity(clean, rainy, channel_axis=-1, **SSIM)
    for band in (1, 2**12, 2**16):
        monkeypatch.setattr("raincheck.metrics.ssim.BAND", band)
        assert ssim_rgb(tensor(rainy), tensor(clean)).item() == pytest.approx(expected, abs=1e-12)


def test_luma_is_that_of_matlab_on_every_grey_and_on_random_colours() -> None:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (300, 300, 3)).astype(np.uint8)
    # A colour whose luma is a half exactly, one in 85,000, is rounded by the last bit of a float: leave those out.
    halves = (colours.astype(int) @ [65481, 128553, 24966]) % 255_000 == 127_500
    assert np.array_equal(luma(tensor(colours)).numpy()[~halves], matlab_luma(colours)[~halves])
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    assert np.array_equal(luma(tensor(greys)).numpy(), matlab_luma(greys))
    # The limits of the standard, and two colours by hand: 16 + 65.481 = 81.481 and 16 + 128.553 = 144.553.
    known = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0]]], dtype=np.uint8)
    assert luma(tensor(known)).tolist() == [[16, 235, 81, 145]]


def test_psnr_by_hand() -> None:
    clean = torch.zeros(3, 2, 2, dtype=torch.uint8)
    rainy = clean.clone()
    rainy[0, 0, 0] = 255  # red: luma 81 against 16 in one pixel of four; 1 of 12 samples is off by 255
    assert psnr_rgb(rainy, clean).item() == pytest.approx(10 * math.log10(12))
    assert psnr_y(rainy, clean).item() == pytest.approx(10 * math.log10(255**2 / (65**2 / 4)))


def test_equal_frames_score_the_ceiling() -> None:
    frame = torch.rand(2, 3, 11, 11)
    scores = score_frames(frame, frame, previous=(frame.flip(0), frame.flip(0)))
    assert list(scores) == list(METRICS)
    best = {"psnr_y": 100, "psnr_rgb": 100, "ssim_y": 1, "ssim_rgb": 1, "temporal_y": 0}
    assert {name: scores[name].tolist() for name in best} == {
        name: pytest.approx([value, value], abs=1e-12) for name, value in best.items()
    }


def test_temporal_error_by_hand() -> None:
    def grey(level: int) -> torch.Tensor:
        return torch.full((3, 4, 5), level, dtype=torch.uint8)

    # Luma of a grey g is 16 + 219 g / 255: 0 -> 16, 51 -> 60 (59.8), 102 -> 104 (103.6), 255 -> 235.
    assert temporal_y(grey(102), grey(51), grey(255), grey(0)).item() == (235 - 16) - (104 - 60)
    # A constant error does not flicker.
    assert temporal_y(grey(51), grey(51), grey(102), grey(102)).item() == 0


def test_temporal_is_left_out_where_there_is_no_previous_frame() -> None:
    frame = torch.rand(3, 16, 16)
    temporal = {name for name, metric in METRICS.items() if metric.temporal}
    assert set(METRICS) - set(score_frames(frame, frame)) == temporal and "temporal_y" in temporal


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(11, 11), (13, 20), (32, 17)]))
def test_properties(seed: int, size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.rand(2, 4, 3, *size, generator=generator)
    scores = score_frames(first, second)
    for name, score in scores.items():
        singly = torch.stack([METRICS[name].score(a, b) for a, b in zip(first, second, strict=True)])
        assert torch.allclose(score, singly, rtol=0, atol=1e-12), "frames must not mix"
        assert torch.allclose(score, METRICS[name].score(second, first), rtol=0, atol=1e-9), "order must not matter"
        gain = METRICS[name].score(first, first) - score
        assert ((gain if METRICS[name].higher_is_better else -gain) > 0).all(), "nothing is better than the clean frame"
    bytes_ = [(frame * 255).round().to(torch.uint8) for frame in (first, second)]
    assert {k: v.tolist() for k, v in score_frames(*bytes_).items()} == {k: v.tolist() for k, v in scores.items()}


def test_leading_shape_is_kept() -> None:
    clip = torch.rand(2, 5, 3, 12, 12)
    assert {score.shape for score in score_frames(clip, clip.flip(-1), (clip, clip)).values()} == {(2, 5)}


def test_values_outside_the_range_are_clamped_as_in_an_image_file() -> None:
    frame = torch.full((3, 11, 11), 1.5)
    assert psnr_y(frame, torch.ones_like(frame)).item() == 100


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        ([(3, 16, 16), (3, 16, 15)], r"frames of shapes \(3, 16, 16\) and \(3, 16, 15\) cannot be compared"),
        ([(1, 16, 16), (1, 16, 16)], r"give RGB frames \(..., 3, h, w\)"),
        ([(16, 16), (16, 16)], r"give RGB frames"),
        ([(3, 0, 16), (3, 0, 16)], r"1 pixel or more"),
    ],
)
def test_frames_that_do_not_fit_are_refused(shapes: list[tuple[int, ...]], sentence: str) -> None:
    first, second = (torch.zeros(shape) for shape in shapes)
    for metric in (psnr_y, psnr_rgb, ssim_y, ssim_rgb):
        with pytest.raises(InputError, match=sentence):
            metric(first, second)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (
            torch.full((3, 16, 16), 90),
            torch.full((3, 16, 16), 90),
            "frames of torch.int64 cannot be scored; give uint8",
        ),
        (torch.full((3, 16, 16), torch.nan), torch.zeros(3, 16, 16), "NaN values"),
        (torch.full((3, 16, 16), 90.0), torch.full((3, 16, 16), 91.0), "values far above 1"),
    ],
)
def test_frames_that_nobody_meant_are_refused(first: torch.Tensor, second: torch.Tensor, sentence: str) -> None:
    for metric in (psnr_y, psnr_rgb, ssim_y, ssim_rgb):
        with pytest.raises(InputError, match=sentence):
            metric(first, second)


def test_frames_smaller_than_the_window_are_refused_by_ssim_alone() -> None:
    frame = torch.zeros(3, 10, 40)
    assert psnr_y(frame, frame).item() == 100
    with pytest.raises(InputError) as caught:
        ssim_y(frame, frame)
    assert str(caught.value) == (
        "frames of 40x10 are smaller than the 11x11 window of SSIM; give frames of 11x11 pixels or more"
    )
