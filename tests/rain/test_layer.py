"""Rain layers: lifted off and laid back exactly, and never out of range."""

import torch

from raincheck.rain.layer import lay, lift

LEVELS = torch.arange(256, dtype=torch.uint8)


def test_every_pair_of_values_comes_back() -> None:
    """All 65536 of them: what `streaks` review shows over the old scene is the rainy clip itself."""
    rainy, clean = LEVELS[:, None].expand(256, 256), LEVELS.expand(256, 256)
    share, directions = lift(rainy, clean)
    assert share.dtype == directions.dtype == torch.uint8 and share.shape == (256, 256)
    assert directions.numel() == 256 * 256 // 8
    assert torch.equal(lay(share, directions, clean), rainy)


def test_over_another_scene_the_rain_covers_the_same_share() -> None:
    """A white streak of opacity 0.4 goes 0.4 of the way to white over any scene; a dark one to black."""
    bright = torch.full((256,), round(50 + 0.4 * 205), dtype=torch.uint8)
    over = lay(*lift(bright, torch.full((256,), 50, dtype=torch.uint8)), LEVELS)
    assert torch.allclose(over.float(), LEVELS + 0.4 * (255 - LEVELS.float()), atol=0.5)
    dark = torch.full((256,), 60, dtype=torch.uint8)
    over = lay(*lift(dark, torch.full((256,), 150, dtype=torch.uint8)), LEVELS)
    assert torch.allclose(over.float(), 0.4 * LEVELS.float(), atol=0.51)


def test_no_rain_changes_nothing_and_sizes_need_be_no_multiple_of_8() -> None:
    scene = torch.randint(256, (5, 3, 7, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    share, directions = lift(scene, scene)
    assert not share.any() and not directions.any() and directions.numel() == -(-5 * 3 * 7 * 9 // 8)
    assert torch.equal(lay(share, directions, scene.flip(-1)), scene.flip(-1))
    rainy = scene.flip(0)
    assert torch.equal(lay(*lift(rainy, scene), scene), rainy)
