"""Drawn rain: what a configuration asks for is what is seen."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from raincheck.errors import ConfigError
from raincheck.rain.drawing import DrawnField, blend
from raincheck.rain.drawn import BLENDS, DRAWN, Drawn

UPRIGHT = Drawn(
    length=(30, 30), width=(4, 4), opacity=(0.5, 0.5), coverage=(0.05, 0.05), hardness=(3, 3), slant=0, light=(1, 1)
)


@pytest.mark.parametrize("drawn", DRAWN.values(), ids=DRAWN)
def test_a_frame_depends_on_its_index_alone(drawn: Drawn) -> None:
    for seed in range(4):  # both kinds of motion
        field = DrawnField(drawn, (40, 60), seed)
        frames = field.frames(0, 6)
        assert frames.min() >= 0 and frames.max() <= drawn.opacity[1] + 1e-6
        again = DrawnField(drawn, (40, 60), seed)
        assert np.array_equal(again.frames(3, 1)[0], frames[3])
        clean = torch.full((6, 3, 40, 60), 90, dtype=torch.uint8)
        assert torch.equal(again.lay(clean[2:4], 2), field.lay(clean)[2:4])
    assert not np.array_equal(DrawnField(drawn, (40, 60), 5).frames(0, 1), DrawnField(drawn, (40, 60), 6).frames(0, 1))


def test_hard_streaks_are_as_opaque_as_asked_for_and_cover_as_much() -> None:
    frames = np.concatenate([DrawnField(UPRIGHT, (200, 200), seed).frames(0, 2) for seed in range(12)])
    inside = (frames > 0.45).mean()
    assert frames.max() == pytest.approx(0.5)
    assert 0.02 < inside < 0.06
    assert (frames > 0.05).mean() < 2.2 * inside  # hard edges: little is half covered


def test_streaks_are_longer_than_wide_and_upright() -> None:
    frames = np.concatenate([DrawnField(UPRIGHT, (150, 150), seed).frames(0, 1) for seed in range(12)])
    down, across = (np.abs(np.diff(frames, axis=axis)).mean() for axis in (1, 2))
    assert across > 3 * down


def test_moving_streaks_move_and_others_are_new_in_every_frame() -> None:
    fields = [DrawnField(replace(UPRIGHT, pace=(0.1, 0.1)), (150, 150), seed) for seed in range(12)]
    assert {field.moving for field in fields} == {True, False}
    for field in fields:
        now, after = field.frames(0, 2)
        shared = (now * after).sum() / (now * now).sum()
        assert shared > 0.5 if field.moving else shared < 0.4


def test_moving_streaks_go_by_their_pace_along_themselves() -> None:
    """A pace of 2 is two of a streak's own lengths, downwards but for one rain in twenty."""
    fields = [DrawnField(replace(UPRIGHT, pace=(2, 2), slant=20), (90, 90), seed) for seed in range(40)]
    ways = []
    for field in (field for field in fields if field.moving):
        streaks = field.streaks(np.array([0, 1]))
        before, after = (np.stack([streaks.x, streaks.y])[:, streaks.frame == index] for index in (0, 1))
        motion = np.stack([streaks.dx, streaks.dy])[:, streaks.frame == 0] * field.beads
        way, box = after - before, field.box[:, None]
        way -= box * np.rint((way - 2 * motion) / box)  # those that left the picture came back at its other side
        ways.append((way / motion).mean())
        assert way / motion == pytest.approx(np.full_like(way, ways[-1]), rel=1e-6)
    assert len(ways) > 10 and np.median(ways) == pytest.approx(2)


def test_rains_lean_by_their_slant() -> None:
    fields = [DrawnField(replace(UPRIGHT, slant=20), (60, 60), seed) for seed in range(300)]
    leans = np.array([np.degrees(np.arctan2(*field.heading)).mean() for field in fields])
    assert leans.std() == pytest.approx(20, rel=0.15) and abs(leans.mean()) < 4


def test_streaks_are_as_light_as_asked_for_and_take_some_of_the_scene() -> None:
    """Where nothing else is seen: up to 0.4 of the scene's mean, and for the rest their own light, nearly white."""
    whole = np.ones((1, 8, 8), dtype=np.float32)
    black = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    shares: list[float] = []
    for seed in range(20):
        field = DrawnField(replace(UPRIGHT, light=(0.7, 0.7), blends=("alpha",)), (8, 8), seed)
        own, with_scene = (field.over(scene, whole).double()[0, :, 0, 0] / 255 for scene in (black, black + 100))
        shares += ((with_scene - own) / (100 / 255)).tolist()
        assert (own / (1 - shares[-1])).tolist() == pytest.approx([0.7] * 3, rel=0.07)
    assert min(shares) >= -0.01 and 0.3 < max(shares) <= 0.41


def test_blends_follow_their_formulas() -> None:
    scene, alpha, light = torch.tensor(0.8), torch.tensor(0.5), torch.tensor(0.6)
    found = {kind: float(blend(kind, scene, alpha, light)) for kind in BLENDS}
    assert found == pytest.approx({"alpha": 0.7, "add": 1.1, "screen": 0.86, "lighten": 0.8})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": (9, 3)}, r"length is \(9, 3\); give two numbers above 0"),
        ({"width": (0, 3)}, r"width is \(0, 3\); give two numbers above 0"),
        ({"opacity": (0.5, 2)}, "opacity and coverage up to 1"),
        ({"blends": ("alpha", "burn")}, "no blend 'burn'; choose among alpha, add, screen, lighten"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Drawn(**changes)
