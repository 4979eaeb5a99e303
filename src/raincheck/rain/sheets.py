"""Rain from pictures of real streaks, given motion.

A picture of streaks shows no time. Its streaks do: each is as long as its drop has moved while the shutter was open. So
from frame to frame the picture moves along its streaks, by their length / (exposure x frame rate). Some pictures of a
folder, scaled to several distances, fall before one another, and the far ones, smaller, fall more slowly.

A picture that falls is followed by itself, turned to another side, so that no rain comes back soon; where the two
meet, they fade into each other.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from raincheck.rain.drops import Seed, gust, hashed
from raincheck.rain.laws import LAWS
from raincheck.rain.parameters import Rain
from raincheck.rain.pictures import FADE, Sheet, lean, load_sheet
from raincheck.rain.render import Shares
from raincheck.video.images.listing import frame_files

SCALES = (1.0, 0.7, 0.5)  # of the sheets, near to far
SPEED = float(LAWS["rain"].speed(np.array(2.0)))  # m/s, of the drops that most streaks are of


@cache  # the videos of a task share it
def streak_files(folder: Path) -> list[Path]:
    """The pictures of a folder.

    Raises:
        InputError: if there are none.
    """
    return frame_files(folder)


def seams(height: int) -> Shares:
    """Weight of each row of a falling picture, (0, 1]: it fades at its ends, where the other one takes over."""
    width = max(1, int(height * FADE))
    rows = np.arange(height)
    nearest = np.minimum(rows, height - 1 - rows) + 0.5
    weight: Shares = np.clip(nearest / width, 0, 1).astype(np.float32)
    return weight


class SheetField:
    """Rain from pictures of streaks: frame `index` is a function of (pictures, rain, size, seed, index) alone.

    Of the rain, exposure and frame rate say how far the streaks move; wind and gusts carry them in addition to what
    the pictures show; light and veil are laid over the scene; the rate is the pictures' own; a camera that drives or
    turns is not drawn. A pixel of a picture is taken for the light of the drops times the share that they hide, so that
    over black the pictures themselves are seen.

    Args:
        folder: pictures of bright streaks on black.
        rain: physical parameters.
        size: height and width of the frames, pixels.
        seed: decides which pictures fall, and where.
        scales: of the sheets.

    Raises:
        InputError: if the folder has no pictures of streaks.
    """

    def __init__(
        self, folder: Path, rain: Rain, size: tuple[int, int], seed: Seed, scales: Sequence[float] = SCALES
    ) -> None:
        self.rain, self.size = rain, size
        rng = np.random.default_rng(seed)
        files = streak_files(folder)
        chosen = rng.choice(len(files), len(scales), replace=len(files) < len(scales))
        sheets = [load_sheet(files[which], scale) for which, scale in zip(chosen, scales, strict=True)]
        self.sheets = [lean(sheet, sheets[0].slope) for sheet in sheets]  # all rain falls in one wind
        self.keys = [int(key) for key in rng.integers(2**63, size=len(scales))]
        self.gust_phase = float(rng.uniform(0, 2 * np.pi))

    def motion(self, sheet: Sheet, index: int) -> tuple[int, int]:
        """How far a sheet has moved in frame `index`: pixels to the right and downwards."""
        down = index * sheet.length / (self.rain.exposure * self.rain.frame_rate)
        time = index / self.rain.frame_rate
        carried = (self.rain.wind - self.rain.pan) * time + float(gust(self.rain, self.gust_phase, time)[1])
        scale = sheet.length / (SPEED * self.rain.exposure)  # pixels a metre, where drops make such streaks
        return round(down * sheet.slope + carried * scale), round(down)

    def depth(self, sheet: Sheet) -> float:
        """How far away drops make streaks of a sheet's length, m."""
        return SPEED * self.rain.exposure * self.rain.focal_length / sheet.length

    def frames(self, start: int, count: int, scene: Shares | None = None) -> Shares:
        """The share of each pixel that drops hide, `(t, h, w)` in [0, 1); see `render.Field`."""
        clear = np.ones((count, *self.size), dtype=np.float32)
        light = np.float32(max(1.0, self.rain.sky_share * self.rain.light))
        for sheet, key in zip(self.sheets, self.keys, strict=True):
            distance = self.depth(sheet)
            for i in range(count):
                hidden = self.fallen(sheet, key, start + i) / light
                clear[i] *= 1 - (hidden if scene is None else np.where(scene[i] > distance, hidden, np.float32(0)))
        return 1 - clear

    def fallen(self, sheet: Sheet, key: int, index: int) -> Shares:
        """A sheet in frame `index`, `(h, w)`."""
        right, down = self.motion(sheet, index)
        high, wide = sheet.picture.shape
        total = np.zeros(self.size, dtype=np.float32)
        weight = seams(high)
        for first, weights in ((0, weight), (high // 2, 1 - np.roll(weight, high // 2))):
            rows = np.arange(self.size[0]) - down + first
            turn, row = np.divmod(rows, high)
            turns = hashed(key + first, np.zeros(len(rows), np.uint64), turn.astype(np.int64).astype(np.uint64))
            shift = right + (turns * wide).astype(np.int64)
            column = (np.arange(self.size[1]) - shift[:, None]) % wide
            total += weights[row][:, None] * sheet.picture[row[:, None], column]
        return total
