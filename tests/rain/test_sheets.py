"""Pictures of streaks that fall: coherent, along their streaks, each frame a function of its index."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from raincheck.errors import InputError
from raincheck.rain.parameters import Rain
from raincheck.rain.pictures import joined, load_sheet
from raincheck.rain.render import compose, lay
from raincheck.rain.sheets import SheetField, seams

GARG = Path(__file__).parents[2] / ".." / "shared" / "data" / "streaks" / "garg06"
# White drops, 8 ms of 40: from frame to frame streaks move by five times their length.
RAIN = Rain(exposure=1 / 125, frame_rate=25, sky_share=1, light=1, wind=0)
SIZE = (90, 120)


def draw_streaks(path: Path, slope: float, length: int = 24, seed: int = 0) -> Path:
    """A picture of 60 parallel streaks, `length` pixels high and 2 wide, on black, with a black border below."""
    rng = np.random.default_rng(seed)
    image = Image.new("L", (200, 160))
    for x, y in rng.uniform((0, 0), (200, 150 - length), (60, 2)):
        ImageDraw.Draw(image).line([(x, y), (x + slope * (length - 1), y + length - 1)], 160, 2)
    image.save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures of streaks that lean to the right as they fall, and something else."""
    for seed in range(3):
        draw_streaks(tmp_path / f"{seed}-4.png", 0.3, seed=seed)
    (tmp_path / "Thumbs.db").write_bytes(b"no picture")
    return tmp_path


@pytest.mark.parametrize("slope", [-0.4, 0.0, 0.3])
def test_streaks_are_measured_as_they_were_drawn(slope: float, tmp_path: Path) -> None:
    sheet = load_sheet(draw_streaks(tmp_path / "0.png", slope), 1.0)
    assert sheet.slope == pytest.approx(slope, abs=0.06)
    assert sheet.length == pytest.approx(24, abs=6)  # some cross each other
    assert load_sheet(tmp_path / "0.png", 0.5).length == pytest.approx(sheet.length / 2)


def test_a_sheet_falls_along_its_streaks_by_their_length(folder: Path) -> None:
    """Of one sheet, frame i + 1 is frame i moved by length / (exposure x frame rate), and sideways by its slope."""
    field = SheetField(folder, RAIN, (400, 300), 3, scales=[1.0])
    (sheet,) = field.sheets
    first, second = field.frames(4, 2)
    (x0, y0), (x1, y1) = field.motion(sheet, 4), field.motion(sheet, 5)
    assert y1 - y0 == pytest.approx(sheet.length * 125 / 25, abs=1)
    assert x1 - x0 == pytest.approx((y1 - y0) * sheet.slope, abs=1) and x1 - x0 > 20
    down, right = y1 - y0, x1 - x0
    assert np.array_equal(second[down:, right:], first[:-down, :-right])
    assert first.any() and not np.array_equal(second, first)


def test_far_sheets_fall_more_slowly_and_all_lean_alike(tmp_path: Path) -> None:
    for seed, slope in enumerate((0.3, 0.1, 0.2)):
        draw_streaks(tmp_path / f"{seed}.png", slope, seed=seed)
    field = SheetField(tmp_path, RAIN, SIZE, 1)
    ways = np.array([field.motion(sheet, 100) for sheet in field.sheets])
    assert (np.diff(ways[:, 1]) < 0).all()
    assert ways[:, 0] / ways[:, 1] == pytest.approx(field.sheets[0].slope, abs=0.01)
    assert [field.depth(sheet) for sheet in field.sheets] == sorted(field.depth(sheet) for sheet in field.sheets)


def test_wind_carries_sheets_sideways(folder: Path) -> None:
    """At a wind of the drops' own speed, by as much again as they fall."""
    still, blown = (SheetField(folder, replace(RAIN, wind=wind), SIZE, 0, [1.0]) for wind in (0.0, 6.548))
    (x0, y0), (x1, y1) = still.motion(still.sheets[0], 50), blown.motion(blown.sheets[0], 50)
    assert y0 == y1 and x1 - x0 == pytest.approx(y0, rel=1e-3)


def test_a_frame_is_a_function_of_seed_and_index(folder: Path) -> None:
    frames = SheetField(folder, RAIN, SIZE, (5, 2)).frames(3, 4)
    assert frames.dtype == np.float32 and frames.shape == (4, *SIZE) and frames.min() >= 0 and frames.max() < 1
    for i in range(4):
        assert np.array_equal(SheetField(folder, RAIN, SIZE, (5, 2)).frames(3 + i, 1)[0], frames[i])
    assert not np.array_equal(SheetField(folder, RAIN, SIZE, (5, 3)).frames(3, 4), frames)


def test_no_rain_comes_back(folder: Path) -> None:
    """A picture 130 rows high that falls by 120 a frame would show the same streaks in the next; these do not."""
    frames = SheetField(folder, RAIN, (130, 150), 0, [1.0]).frames(0, 12)
    likeness = np.corrcoef(frames.reshape(12, -1))
    assert np.abs(likeness[~np.eye(12, dtype=bool)]).max() < 0.5


def test_seams_fade_into_each_other() -> None:
    weight = seams(64)
    assert weight.min() > 0 and weight.max() == 1 and (1 - np.roll(weight, 32))[[0, 63]] == pytest.approx([0, 0])
    assert weight[:9] == pytest.approx([*(np.arange(8) + 0.5) / 8, 1])  # an eighth of the height
    level = np.full((20, 64), 0.5, dtype=np.float32)
    assert joined(level) == pytest.approx(np.full((20, 56), 0.5))
    ramp = np.tile(np.arange(64, dtype=np.float32), (2, 1))
    assert abs(joined(ramp)[0, 0] - joined(ramp)[0, -1]) < 3 < ramp[0, 55]  # the sides fit together


def test_over_black_the_picture_itself_is_seen(folder: Path) -> None:
    """Whatever the light of the rain, streaks are as bright as in the picture."""
    black = torch.zeros(2, 3, *SIZE, dtype=torch.uint8)
    for light in (1.0, 6.0):
        field = SheetField(folder, replace(RAIN, light=light), SIZE, 0, [1.0])
        made = lay(black, field)
        assert abs(int(made.rainy.max()) - 160) <= 2
        again = compose(black / 255, made.streaks, made.transmission, made.light, made.airlight)
        assert torch.equal(made.rainy, (again.clamp(0, 1) * 255).round().to(torch.uint8))


def test_what_stands_before_a_sheet_hides_it(folder: Path) -> None:
    field = SheetField(folder, RAIN, SIZE, 0)
    depths = sorted(field.depth(sheet) for sheet in field.sheets)
    black = torch.zeros(1, 3, *SIZE, dtype=torch.uint8)
    counts = [
        int(lay(black, field, depth=torch.full(SIZE, at)).rainy.count_nonzero())
        for at in (depths[0] / 2, (depths[0] + depths[1]) / 2, depths[2] * 2)
    ]
    assert counts[0] == 0 < counts[1] < counts[2] == int(lay(black, field).rainy.count_nonzero())


def test_a_folder_without_streaks_is_one_sentence(tmp_path: Path) -> None:
    Image.new("L", (40, 40)).save(tmp_path / "black.png")
    with pytest.raises(InputError) as error:
        SheetField(tmp_path, RAIN, SIZE, 0)
    assert str(error.value) == f"{tmp_path}/black.png shows no streaks; give pictures of bright streaks on black"
    with pytest.raises(InputError, match="cannot be read"):
        SheetField(tmp_path / "none", RAIN, SIZE, 0)


@pytest.mark.skipif(not GARG.is_dir(), reason="the streak database does not lie beside the project")
def test_real_streak_layers_fall() -> None:
    frames = SheetField(GARG, RAIN, (240, 320), 1).frames(0, 3)
    assert 0.01 < frames.mean() < 0.3 and not np.array_equal(frames[0], frames[1])
