"""Scoring a rainy video against its clean twin."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from raincheck.errors import InputError
from raincheck.evaluation.pair import evaluate_pair
from raincheck.metrics import METRICS, Metric, score_frames
from raincheck.networks.identity import Identity
from raincheck.networks.rrgnet import RRGNet
from raincheck.networks.weights import save_weights
from raincheck.video.images.still import read_image
from tinyvideo import Frames, noise, smooth, write_folder, write_video

SSIM = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}


def luma(frames: Frames) -> Frames:
    return np.round(rgb2ycbcr(frames)).astype(np.uint8)[..., 0]


def rainy_twin(clean: Frames) -> Frames:
    rain = np.random.default_rng(1).integers(-20, 40, clean.shape)
    return (clean + rain).clip(0, 255).astype(np.uint8)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path, Frames, Frames]:
    clean = smooth(12)
    rainy = rainy_twin(clean)
    return write_folder(tmp_path / "rainy", rainy), write_folder(tmp_path / "clean", clean), rainy, clean


@pytest.mark.parametrize(
    ("frames", "indices"),
    [
        (slice(None), range(12)),
        (slice(2, 7), range(2, 7)),
        (slice(-3, None), range(9, 12)),
        (slice(None, -9), range(3)),
        (slice(1, None, 4), range(1, 12, 4)),
        (slice(None, None, -5), range(1, 12, 5)),
        (slice(4, 100), range(4, 12)),
    ],
)
def test_scores_are_those_of_scikit_image(
    pair: tuple[Path, Path, Frames, Frames], frames: slice, indices: range
) -> None:
    scores = evaluate_pair(pair[0], pair[1], "identity", frames)
    rainy, clean = pair[2][indices], pair[3][indices]
    rainy_y, clean_y = luma(rainy), luma(clean)
    together = list(zip(clean, rainy, strict=True))
    together_y = list(zip(clean_y, rainy_y, strict=True))
    changes = np.diff(rainy_y.astype(float), axis=0) - np.diff(clean_y.astype(float), axis=0)
    assert scores["frames"] == len(indices)
    assert scores["psnr_rgb"] == pytest.approx(np.mean([peak_signal_noise_ratio(*p) for p in together]), abs=1e-3)
    assert scores["psnr_y"] == pytest.approx(np.mean([peak_signal_noise_ratio(*p) for p in together_y]), abs=1e-3)
    assert scores["ssim_y"] == pytest.approx(np.mean([structural_similarity(*p, **SSIM) for p in together_y]), abs=1e-4)
    assert scores["ssim_rgb"] == pytest.approx(
        np.mean([structural_similarity(*p, **SSIM, channel_axis=-1) for p in together]), abs=1e-4
    )
    assert scores["temporal_y"] == pytest.approx(np.abs(changes).mean(), abs=1e-3)


def test_windows_see_the_neighbours_of_the_slice(pair: tuple[Path, Path, Frames, Frames], tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = RRGNet(window=5, width=4)
    torch.nn.init.normal_(net.head.weight, std=0.2)
    save_weights(net, tmp_path / "w.safetensors")
    each = [evaluate_pair(*pair[:2], tmp_path / "w.safetensors", slice(i, i + 1))["psnr_y"] for i in (5, 6, 7)]
    middle = evaluate_pair(*pair[:2], tmp_path / "w.safetensors", slice(5, 8))["psnr_y"]
    assert middle == pytest.approx(np.mean(np.array(each, float)), abs=1e-9)
    for name, part in (("rainy-part", pair[2][5:8]), ("clean-part", pair[3][5:8])):
        write_folder(tmp_path / name, part)
    alone = evaluate_pair(tmp_path / "rainy-part", tmp_path / "clean-part", tmp_path / "w.safetensors")["psnr_y"]
    assert abs(float(alone or 0) - float(middle or 0)) > 1e-3  # reflected ends are not the neighbours


def test_a_metric_of_the_catalogue_is_scored_without_more_ado(
    pair: tuple[Path, Path, Frames, Frames], monkeypatch: pytest.MonkeyPatch
) -> None:
    def mae(derained: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
        return (derained.double() - clean.double()).abs().mean(dim=(-3, -2, -1))

    monkeypatch.setitem(METRICS, "mae", Metric("mae", mae, higher_is_better=False))
    rainy, clean, *frames = pair
    found = evaluate_pair(rainy, clean, "identity")
    assert list(found)[:5] == ["psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "temporal_y"]
    assert found["mae"] == pytest.approx(np.abs(frames[0].astype(float) - frames[1]).mean())


def test_one_frame_has_no_temporal_score(pair: tuple[Path, Path, Frames, Frames]) -> None:
    scores = evaluate_pair(pair[0], pair[1], "identity", slice(3, 4))
    assert scores["temporal_y"] is None
    assert scores["frames"] == 1
    assert float(scores["seconds_per_frame_total"] or 0) >= float(scores["seconds_per_frame"] or 0) > 0


def test_video_files_are_scored_too_and_a_perfect_score_is_finite(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(5))
    scores = evaluate_pair(path, path, "identity")
    assert scores["psnr_y"] == scores["psnr_rgb"] == 100
    assert (scores["ssim_y"], scores["temporal_y"], scores["frames"]) == (pytest.approx(1), 0, 5)


class Clock:
    """Shows no time but that which calls are said to take."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def slowly(self, seconds: float, real: Callable[..., object]) -> Callable[..., object]:
        def slow(*args: object) -> object:
            self.now += seconds
            return real(*args)

        return slow


def test_the_networks_time_is_without_reading_and_scoring(
    pair: tuple[Path, Path, Frames, Frames], monkeypatch: pytest.MonkeyPatch
) -> None:
    import raincheck.evaluation.pair as module
    import raincheck.video.images.sequence as sequence

    clock = Clock()
    monkeypatch.setattr(module, "perf_counter", clock)
    monkeypatch.setattr(sequence, "read_image", clock.slowly(1, read_image))
    monkeypatch.setattr(module, "score_frames", clock.slowly(10, score_frames))
    monkeypatch.setattr(Identity, "decode", clock.slowly(100, Identity.decode))
    scores = evaluate_pair(pair[0], pair[1], "identity", slice(6))
    assert scores["seconds_per_frame"] == pytest.approx(100)
    assert scores["seconds_per_frame_total"] == pytest.approx(112)  # rainy, clean, scoring


def test_progress_is_reported(pair: tuple[Path, Path, Frames, Frames]) -> None:
    seen: list[tuple[int, int | None]] = []
    evaluate_pair(pair[0], pair[1], "identity", slice(2, 5), progress=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_pairs_that_do_not_fit(pair: tuple[Path, Path, Frames, Frames], tmp_path: Path) -> None:
    shorter = write_video(tmp_path / "short.mp4", noise(5))
    smaller = write_folder(tmp_path / "small", noise(12, 40, 64))
    with pytest.raises(InputError, match=r"rainy has 12 frames but .*short.mp4 has 5; give a video and its clean twin"):
        evaluate_pair(pair[0], shorter, "identity")
    with pytest.raises(InputError, match=r"rainy has frames of 64x48 but .*small of 64x40; give"):
        evaluate_pair(pair[0], smaller, "identity")
    with pytest.raises(InputError, match=r"rainy has 12 frames, none of them in \[12:\]; choose other frames"):
        evaluate_pair(pair[0], pair[1], "identity", slice(12, None))
    with pytest.raises(InputError, match="cannot have step 0"):
        evaluate_pair(pair[0], pair[1], "identity", slice(None, None, 0))
    with pytest.raises(InputError, match="there is no video at"):
        evaluate_pair(pair[0], tmp_path / "nowhere", "identity")


def test_folders_that_miss_different_frames(pair: tuple[Path, Path, Frames, Frames]) -> None:
    (pair[0] / "00003.png").unlink()
    (pair[1] / "00007.png").unlink()
    with pytest.raises(InputError, match=r"rainy and .*clean are numbered differently, so which belong together is"):
        evaluate_pair(pair[0], pair[1], "identity")
