"""What training clips show besides their rain type."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from raincheck.datasets.rendered import RenderedRain
from raincheck.datasets.rendering.caption import draw_caption
from raincheck.datasets.rendering.tone import vary_picture
from raincheck.datasets.rendering.variety import PLAIN, Variety
from raincheck.datasets.rendering.video import RenderedVideo
from raincheck.errors import ConfigError
from raincheck.rain.drawing import DrawnField
from raincheck.rain.render import RainField


def test_pictures_are_turned_and_their_tones_keep_their_order() -> None:
    clip = torch.arange(3 * 16, dtype=torch.uint8).reshape(1, 3, 4, 4) * 5
    turned = other = 0
    for seed in range(200):
        varied = vary_picture(clip, np.random.default_rng(seed))
        assert varied.shape == clip.shape and varied.dtype == torch.uint8
        values = [torch.rot90(varied, -k, (-2, -1)).flatten().to(torch.int32) for k in range(4)]
        upright = [bool((value.diff() >= 0).all()) for value in values]
        assert any(upright)
        turned += not upright[0]
        other += not any(torch.equal(value, clip.flatten().to(torch.int32)) for value in values)
    assert 0.2 < turned / 200 < 0.4 and 0.4 < other / 200 < 0.6


def test_an_asked_for_share_of_clips_is_dry_and_layers_add_up() -> None:
    def rainy_share(variety: Variety) -> tuple[float, float]:
        video = RenderedRain("x", ["lines", "strokes"], photographs="bundled", variety=variety).task(0).train[0]
        pairs = [video.sample(np.random.default_rng(seed), 3, 32) for seed in range(60)]
        changes = [float((rainy.int() - clean.int()).abs().float().mean()) for rainy, clean in pairs]
        return sum(change == 0 for change in changes) / 60, sum(changes) / 60

    dry, one = rainy_share(Variety(dry=0.5))
    assert 0.3 < dry < 0.7
    assert rainy_share(Variety(dry=1)) == (1, 0)
    assert rainy_share(Variety(dry=0.5, layers=4))[1] > 1.5 * one


def test_drawn_and_physical_rain_make_up_one_type_and_test_videos_show_them() -> None:
    rain = RenderedRain("x", ["lines", "wind"], photographs=["bundled"], test_frames=3)
    lines, wind = (video for video in rain.task(0).test if isinstance(video, RenderedVideo))
    assert isinstance(lines.field, DrawnField) and isinstance(wind.field, RainField)
    for video in (lines, wind):
        rainy, clean = video.read(0, 3)
        assert torch.equal(video.read(1, 1)[0][0], rainy[1]) and not torch.equal(rainy, clean)


def test_numbers_out_of_range_are_refused() -> None:
    for wrong in ({"layers": 0}, {"captions": 1.5}, {"spread": 5.1}, {"spread": float("nan")}):
        with pytest.raises(ConfigError, match="give a spread of 0 to 5, layers of 1 or more, and shares"):
            Variety(**wrong)


def test_captions_stand_still_over_rain_and_scene_alike() -> None:
    footage = RenderedRain("x", "lines", photographs="bundled", variety=Variety(captions=1)).task(0).train[0]
    for seed in range(20):
        rainy, clean = footage.sample(np.random.default_rng(seed), 3, 64)
        plain = replace(footage, variety=PLAIN).sample(np.random.default_rng(seed), 3, 64)
        assert 0.002 < (clean != plain[1]).float().mean() < 0.9
        behind, before = ((a.int() - b.int()).abs() for a, b in ((rainy, clean), plain))
        assert (behind <= before + 1).all() and (behind < before).any()


def test_a_caption_covers_what_is_behind_it_by_its_opacity() -> None:
    clip = torch.randint(0, 256, (2, 3, 48, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    caption = draw_caption(np.random.default_rng(1), (48, 64))
    assert caption.opacity.shape == (1, 48, 64) and caption.colour.shape == (3, 48, 64)
    assert caption.opacity.min() >= 0 and caption.opacity.max() <= 1
    by_hand = clip / 255 * (1 - caption.opacity) + caption.colour * caption.opacity
    assert ((by_hand * 255 - caption.lay(clip).float()).abs() <= 0.501).all()
