"""What a rendered set is to be, and that a folder belongs to one request."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from raincheck import __version__
from raincheck.data.clips import Clip, Size, find_clips, split_names
from raincheck.data.manifest import read_object
from raincheck.datasets.renderedset import CLAIM
from raincheck.errors import ConfigError
from raincheck.files import refuse_others, write_text
from raincheck.fingerprint import fingerprints
from raincheck.rain.drawn import Drawn
from raincheck.rain.drops import Seed
from raincheck.rain.kinds import varied
from raincheck.rain.parameters import WIDEST, Rain
from raincheck.video.images.listing import frame_files

FASTEST = 1_000_000  # frames a second, and the slowest are as many seconds apart
FORMATS = (".png", ".jpg")


@dataclass(frozen=True)
class Request:
    """All that decides a rendered set.

    Attributes:
        clean: video files, folders of frames, and folders that hold such.
        rains: types of rain, by what they are called; variants take them in turn.
        seed: of the whole set.
        variants: rains over each clip; None is as many as types.
        spread: how far variants vary their type, up to 5; see `randomise`. Drawn rain varies within its ranges.
        frames: at most so many of each clip; None keeps all.
        size: at most this height and width; None keeps them.
        fps: frames a second of folders of frames; None takes the rain's.
        test: names of the test clips; None takes the last fifth.
        streaks: folder of streak pictures that fall; None lets drops fall.
        depth: folder of depth maps, `<clip>.npy`; None has none.
        suffix: of the frames, .png or .jpg.
        layers: whether streaks and veils are written too.
    """

    clean: Sequence[Path]
    rains: dict[str, Rain | Drawn]
    seed: int = 0
    variants: int | None = None
    spread: float = 1.0
    frames: int | None = None
    size: Size | None = None
    fps: Fraction | None = None
    test: Sequence[str] | None = None
    streaks: Path | None = None
    depth: Path | None = None
    suffix: str = ".png"
    layers: bool = False

    def __post_init__(self) -> None:
        """Checks the numbers."""
        counts = {"variants": self.variants, "frames": self.frames}
        if wrong := [name for name, count in counts.items() if count is not None and count < 1]:
            raise ConfigError(f"{wrong[0]} is {counts[wrong[0]]}; it must be 1 or more")
        if self.suffix not in FORMATS:
            raise ConfigError(f"frames cannot be {self.suffix}; choose one of {', '.join(FORMATS)}")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; it must be 0 or more")
        if not 0 <= self.spread <= WIDEST:
            raise ConfigError(f"spread is {self.spread:g}; it must be between 0 and {WIDEST:g}")
        if self.fps is not None and not 1 / FASTEST <= self.fps <= FASTEST:
            raise ConfigError(f"fps must be between 1/{FASTEST} and {FASTEST}; correct it")
        drawn = [name for name, rain in self.rains.items() if isinstance(rain, Drawn)]
        if drawn and (self.streaks or self.depth):
            raise ConfigError(
                f"drawn rain such as {drawn[0]} has streaks of its own and knows no distances; leave out streaks and "
                "depth, or render it as a set of its own"
            )

    def clips(self) -> dict[str, list[Clip]]:
        """The clips of each split.

        Raises:
            InputError: if there are none, or no pictures of streaks.
            ConfigError: if names are ambiguous or unknown.
        """
        if self.streaks is not None:
            frame_files(self.streaks)
        found = find_clips(self.clean)
        maps = {} if self.depth is None else {path.stem: path for path in sorted(self.depth.glob("*.npy"))}
        if lost := [name for name in maps if name not in found]:
            raise ConfigError(f"the depth map {maps[lost[0]]} has no clip called {lost[0]}; rename it or take it out")
        if self.depth is not None and not maps:
            raise ConfigError(f"there are no depth maps in {self.depth}; save them there as <clip>.npy")
        clips = {
            name: Clip(name, path, self.frames, self.size, self.fps, maps.get(name)) for name, path in found.items()
        }
        train, test = split_names(list(found), self.test)
        return {"train": [clips[name] for name in train], "test": [clips[name] for name in test]}

    def rain(self, clip: str, variant: int, fps: Fraction | None) -> tuple[str, Rain | Drawn, Seed]:
        """The type, the rain and the seed of a clip's variant, counted from 1: a function of their names alone.

        The camera of the clip is that of the rain: its frame rate bounds the exposure.
        """
        name = list(self.rains)[(variant - 1) % len(self.rains)]
        kind = self.rains[name]
        if fps is not None and isinstance(kind, Rain):
            exposure = min(kind.exposure, float(1 / fps))
            kind = replace(kind, frame_rate=float(fps), exposure=exposure)
        seed = (self.seed, zlib.crc32(clip.encode()), variant)
        return name, varied(kind, np.random.default_rng(seed), self.spread), seed

    def claim(self, clips: Sequence[Clip]) -> dict[str, Any]:
        """The request as it is compared and kept: no path of this machine but names, and what the clips look like."""
        sources = {clip.name: list(fingerprints([clip.path, clip.depth]).values()) for clip in clips}
        return {
            "raincheck": __version__,
            "rains": {name: asdict(rain) for name, rain in self.rains.items()},
            "seed": self.seed,
            "variants": self.variants or len(self.rains),
            "spread": self.spread,
            "frames": self.frames,
            "size": None if self.size is None else list(self.size),
            "fps": None if self.fps is None else str(self.fps),
            "test": None if self.test is None else list(self.test),
            "streaks": None if self.streaks is None else list(fingerprints([self.streaks]).values()),
            "format": self.suffix,
            "layers": self.layers,
            "clips": sources,
        }


def claim(out: Path, wanted: dict[str, Any]) -> bool:
    """Gives an empty folder to a request, or checks that it has it already; tells whether it is new.

    Raises:
        ConfigError: if the folder's request is another.
        OutputError: if the folder is not empty and has none, or a damaged one.
    """
    path = out / CLAIM
    if path.exists():
        there = read_object(path, "choose another --out")
        asked = json.loads(json.dumps(wanted))  # a drawn rain's ranges come back as lists
        if differ := [key for key in asked | there if asked.get(key) != there.get(key)]:
            raise ConfigError(f"{out} holds a set rendered with other {', '.join(differ)}; choose another --out")
        return False
    refuse_others(out, "rendered set")
    write_text(path, json.dumps(wanted, indent=1) + "\n")
    return True
