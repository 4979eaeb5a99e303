"""How much memory there is for a frame, and how large the tiles may be that it is cut into."""

from numbers import Integral

import torch

from raincheck.deraining.free_memory import free_bytes
from raincheck.deraining.tiles import cut_tiles, narrower
from raincheck.errors import ConfigError
from raincheck.networks.base import ClipNetwork

SHARE = 0.5  # of the free memory that frames may take: encoders, decoders and other programs need some too
# A window's computation takes up to this many times the memory of its frames' features (RRGNet of width 32
# at 1280x720: 833 MB of an estimate of 977), and some bytes a pixel for the frames themselves.
WORK, PLAIN = 5, 100
SIDES = (2048, 1536, 1024, 768, 512, 384, 256, 192, 128)


def plan_tiles(
    network: ClipNetwork, size: tuple[int, int], device: torch.device, low: bool, tile: int | str
) -> tuple[int | None, bool]:
    """The side of the tiles for a frame of that height and width, and whether features are kept between windows.

    Args:
        network: on `device`.
        size: height and width.
        device: where to compute.
        low: whether features are bfloat16.
        tile: as `Engine`.

    Raises:
        ConfigError: if `tile` is none of `auto`, `none` and a number.
    """
    if isinstance(tile, Integral):  # numpy's, too
        return narrower(network, int(tile)), True
    if tile not in ("auto", "none"):
        raise ConfigError(f"there is no tile {tile!r}; use auto, none, or a number of pixels")
    if tile == "none":
        return None, True
    features = feature_bytes(network, device, low)
    room = SHARE * free_bytes(device)
    plans: list[tuple[int | None, bool]] = [(None, True)]
    sides = [side for most in SIDES if (side := narrower(network, most, strict=False)) is not None]
    plans += [(side, keep) for keep in (True, False) for side in sides]
    return next((p for p in plans if needed(network, size, features, *p) <= room), plans[-1])


def has_room(
    network: ClipNetwork, size: tuple[int, int], device: torch.device, low: bool, tile: int | str, at_once: int
) -> bool:
    """Whether there is memory for `at_once` windows, in the tiles that are planned for one.

    Other arguments, and errors, as `plan_tiles`.
    """
    plan = plan_tiles(network, size, device, low, tile)
    return needed(network, size, feature_bytes(network, device, low), *plan, at_once) <= SHARE * free_bytes(device)


def needed(
    network: ClipNetwork, size: tuple[int, int], features: float, side: int | None, keep: bool, at_once: int = 1
) -> float:
    """Bytes that a plan takes at most.

    Args:
        network: says how many frames a window has.
        size: height and width.
        features: bytes of a frame's features, a pixel.
        side: of the tiles.
        keep: whether the features of a whole window are kept.
        at_once: windows that are computed at once.
    """
    tiles = cut_tiles(size, side, network)
    areas = [(t.rows.end - t.rows.begin) * (t.columns.end - t.columns.begin) for t in tiles]
    kept = (network.window + at_once - 1) * features * sum(areas) if keep else 0
    return kept + at_once * max(areas) * (WORK * network.window * features + PLAIN)


@torch.inference_mode()
def feature_bytes(network: ClipNetwork, device: torch.device, low: bool = False) -> float:
    """Bytes of a frame's features, a pixel, in fp32; with `low` in bfloat16."""
    side = 8 * network.multiple
    features = network.encode(torch.zeros(1, 3, side, side, device=device))
    return (2 if low else 4) * features.numel() / side**2
