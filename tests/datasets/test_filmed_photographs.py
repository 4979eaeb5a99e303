"""Filmed photographs: determinism, motion, disjoint pictures."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from skimage.transform import AffineTransform, warp

from program import finish
from raincheck.datasets.photographs import (
    TEST,
    FilmedPhotograph,
    bundled_photographs,
    folder_photographs,
    split_photographs,
)
from raincheck.datasets.rendering.film import Cutout, Film, Motion
from raincheck.datasets.rendering.filming import shoot
from raincheck.errors import ConfigError, InputError
from tinyvideo import noise, write_photographs


def still(at: tuple[float, float], velocity: tuple[float, float] = (0, 0)) -> Motion:
    return Motion(at, velocity, (0, 0), 0, 0)


def filmed(**changes: object) -> FilmedPhotograph:
    pictures = bundled_photographs()
    settings: dict[str, object] = {"cutouts": (pictures["brick"], pictures["flower"]), "size": (60, 80), "length": 12}
    return FilmedPhotograph("chelsea", pictures["chelsea"], **{**settings, **changes})  # type: ignore[arg-type]


def test_bundled_photographs_are_scikit_images() -> None:
    pictures = bundled_photographs()
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        own = (pictures[name] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        assert np.array_equal(own, getattr(data, name)())


def test_photographs_of_a_folder_stand_upright(tmp_path: Path) -> None:
    whole = noise(1, 20, 30)
    (picture,) = folder_photographs(write_photographs(tmp_path / "a", whole, orientation=8)).values()
    assert np.array_equal((picture * 255).round().to(torch.uint8).permute(1, 2, 0).numpy(), whole[0])


def test_bundled_photographs_import_neither_package() -> None:
    code = (
        "import sys; from raincheck.datasets.photographs import bundled_photographs; bundled_photographs(); "
        "sys.exit(bool({'skimage', 'sklearn', 'avalanche'} & set(sys.modules)))"
    )
    finish([sys.executable, "-c", code], check=True)


def test_training_and_test_photographs_differ() -> None:
    train, test = split_photographs(bundled_photographs(), TEST)
    assert set(test) == {"china", "coffee"} and len(train) >= 4 and not set(train) & set(test)
    with pytest.raises(
        ConfigError, match="no photograph is called 'cofee'; choose the test photographs among astronaut"
    ):
        split_photographs(bundled_photographs(), ("cofee",))
    with pytest.raises(ConfigError, match="every photograph is a test photograph"):
        split_photographs({"a": torch.zeros(3, 4, 4)}, ("a",))


def test_a_frame_does_not_depend_on_the_window_or_the_threads() -> None:
    threads = torch.get_num_threads()
    film = filmed(size=(150, 200))
    try:
        torch.set_num_threads(1)
        whole = film.read(0, 12)
        torch.set_num_threads(2)
        assert whole.dtype == torch.uint8 and whole.shape == (12, 3, 150, 200)
        assert torch.equal(film.read(0, 12), whole)
        for start, count in ((3, 1), (5, 4), (11, 1)):
            assert torch.equal(film.read(start, count), whole[start : start + count])
    finally:
        torch.set_num_threads(threads)


def test_samples_follow_their_generator() -> None:
    film = filmed()
    first, again, other = (film.sample(np.random.default_rng(seed), 5, 64) for seed in (1, 1, 2))
    assert first.shape == (5, 3, 64, 64) and torch.equal(first, again) and not torch.equal(first, other)


def test_frames_move_smoothly() -> None:
    frames = filmed().read(0, 12).float()
    steps = (frames[1:] - frames[:-1]).abs().mean((1, 2, 3))
    assert (steps > 0.3).all() and steps.max() < 4 * steps.median()


def test_films_have_up_to_three_objects() -> None:
    numbers = [len(filmed(size=(192, 256), seed=seed).film.cutouts) for seed in range(20)]
    assert set(numbers) <= {0, 1, 2, 3} and np.mean(numbers) > 1.5
    assert not filmed(cutouts=()).film.cutouts


@pytest.mark.parametrize("frame", [0, 9])
def test_an_object_is_an_ellipse_where_its_path_says(frame: int) -> None:
    """White on black: the sum is the ellipse's area, the centroid its place, the second moments its turned axes."""
    thing = Cutout(0, (50.0, 50.0), still((40.0, 50.0), (2.0, -1.0)), (20.0, 10.0), (3, 0.0, 0.0), 0.3, 0.05)
    film = Film((100, 120), still((60.0, 50.0)), 1.0, 0.0, 0.0, (thing,))
    taken = shoot(film, torch.zeros(3, 100, 120), (torch.ones(3, 100, 100),), np.array([frame]))
    image = taken[0, 1].numpy() / 255
    rows, columns = np.indices(image.shape)
    assert image.sum() == pytest.approx(np.pi * 200, rel=0.03)
    middle = np.average(columns, weights=image), np.average(rows, weights=image)
    assert middle == pytest.approx((40 + 2 * frame, 50 - frame), abs=0.1)
    dx, dy = columns - middle[0], rows - middle[1]
    turn = 0.5 * np.arctan2(2 * (image * dx * dy).sum(), (image * (dx**2 - dy**2)).sum())
    assert turn == pytest.approx(0.3 + 0.05 * frame, abs=0.03)


def test_camera_is_scikit_images_affine_warp() -> None:
    picture = bundled_photographs()["coffee"]
    film = Film((40, 60), still((300.0, 200.0), (1.5, -0.7)), 1.3, 0.01, 0.02, ())
    frame = 4
    scale = 1.3 * np.exp(0.01 * frame)
    inverse = AffineTransform(translation=(-29.5, -19.5)) + AffineTransform(
        scale=scale, rotation=0.02, translation=(300 + 1.5 * frame, 200 - 0.7 * frame)
    )
    wanted = warp(picture.permute(1, 2, 0).numpy().astype(np.float64), inverse, output_shape=(40, 60), order=1)
    taken = shoot(film, picture, (), np.array([frame]))[0].permute(1, 2, 0).numpy()
    assert np.abs(taken - 255 * wanted).max() < 0.6


@pytest.mark.parametrize("seed", range(30))
def test_the_view_stays_inside_the_photograph(seed: int) -> None:
    """A picture with a loud border, which would be repeated if the camera looked past it."""
    picture = torch.zeros(3, 120, 140)
    picture[:, 1:-1, 1:-1] = 0.5
    film = FilmedPhotograph("x", picture, (), (64, 64), 24, seed)
    assert film.read(0, 24).min() > 100


def test_a_folder_of_photographs(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (30, 20), (255, 0, 0)).save(tmp_path / "red.png")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    pictures = folder_photographs(tmp_path)
    assert list(pictures) == ["red"] and pictures["red"][:, 0, 0].tolist() == [1, 0, 0]
    with pytest.raises(InputError, match="no folder of photographs at"):
        folder_photographs(tmp_path / "none")
