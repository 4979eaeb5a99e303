"""A network on a device: in which precision and in how large tiles it computes."""

from pathlib import Path
from threading import Lock

import torch
from einops import rearrange
from torch import Tensor

from raincheck.deraining.ensemble import SelfEnsemble
from raincheck.deraining.free_memory import ran_out
from raincheck.deraining.precision import compiled, in_bf16
from raincheck.deraining.room import has_room, plan_tiles
from raincheck.deraining.tiles import Tile, cut_tiles, narrower
from raincheck.errors import ConfigError
from raincheck.export.read import Exported, open_network
from raincheck.networks.base import ClipNetwork
from raincheck.video.pixels import to_float, to_whole
from raincheck.video.stream import Picture

AT_ONCE = 2  # windows: a third takes memory, and no time less (two cores)


class Seen:
    """A frame of the stream, with the features that were computed from it.

    Args:
        picture: the frame, on the CPU.
        shot: the number of its shot.
    """

    def __init__(self, picture: Picture, shot: int = 0) -> None:
        self.picture, self.shot = picture, shot
        self.features: dict[Tile, Tensor] = {}
        self.lock = Lock()  # of two windows, one computes them


class Engine:
    """Computes the centre frames of windows.

    Args:
        network: in evaluation mode, on `device`.
        device: where to compute.
        precision: `fp32`; `bf16`, in which windows are decoded, but frames encoded in fp32, because the input's 8 bits
            do not fit into bfloat16; or `auto`, which is bf16 where the device has units for it.
        tile: side of the tiles in pixels, overlap included; `none` never cuts; `auto` cuts where the frame would not
            fit into the free memory. Tiles overlap by the network's reach, so that they show no seams.
        compile: translates the network with torch.compile at the first frame.
        self_ensemble: the mean over frames and their mirror images, two passes instead of one.

    Raises:
        ConfigError: if there is no such precision, or the network cannot work in it or in such tiles.
    """

    def __init__(
        self,
        network: ClipNetwork,
        device: torch.device,
        precision: str = "fp32",
        tile: int | str = "none",
        compile: bool = False,
        self_ensemble: bool = False,
    ) -> None:
        self.device, self.tile = device, tile
        self.low = in_bf16(precision, network, device)
        decode = compiled(network) if compile else network.decode
        self.network = SelfEnsemble(network, decode) if self_ensemble else network
        self.decode = self.network.decode if self_ensemble else decode
        self.compiled = compile
        self.tiles: list[Tile] = []
        self.keep = True  # features for the windows to come
        self.lock = Lock()  # of these two
        if isinstance(tile, int):
            narrower(network, tile)  # says what is wrong with it before any work

    def at_once(self, size: tuple[int, int]) -> int:
        """How many windows over frames of that height and width are best computed at once: two on the cores of a CPU.

        One on other devices, with networks that are compiled or run by another library, which has threads of its own,
        where torch has one thread, and where there is no memory for two.
        """
        alone = self.device.type != "cpu" or self.compiled or isinstance(self.network, Exported)
        if alone or torch.get_num_threads() < AT_ONCE:
            return 1
        return AT_ONCE if has_room(self.network, size, self.device, self.low, self.tile, AT_ONCE) else 1

    @torch.inference_mode()
    def derain(self, window: list[Seen]) -> Tensor:
        """The derained centre frame of a window, `(c, h, w)` on the CPU, in the type of its pixels.

        Where memory runs out all the same, tiles become half as large, and the frame is begun again. Several threads
        may call this at once.
        """
        pixels = window[len(window) // 2].picture.pixels
        size = (pixels.shape[1], pixels.shape[2])
        with self.lock:
            if not self.tiles:
                side, self.keep = plan_tiles(self.network, size, self.device, self.low, self.tile)
                self.tiles = cut_tiles(size, side, self.network)
        while True:
            tiles = self.tiles
            try:
                return self.joined(window, tiles)
            except RuntimeError as error:
                with self.lock:
                    if self.tiles is tiles:  # and no other thread has made them smaller meanwhile
                        self.tiles, self.keep = self.smaller(size, error), False
                for frame in window:
                    frame.features.clear()

    def smaller(self, size: tuple[int, int], error: RuntimeError) -> list[Tile]:
        """Tiles of half the side, after memory ran out.

        Raises:
            RuntimeError: `error`, if it is about something else, or tiles were forbidden.
            ConfigError: if the network cannot work in smaller tiles.
        """
        if not ran_out(error):
            raise error
        side = max(max(t.outer[0].stop - t.outer[0].start, t.outer[1].stop - t.outer[1].start) for t in self.tiles)
        half = None if self.tile == "none" else narrower(self.network, side // 2, strict=False)
        if half is None:
            raise ConfigError(
                f"the memory of {self.device} is too small for frames of {size[1]}x{size[0]} in tiles of {side}; use "
                "--tile auto, another device, or smaller frames"
            ) from None
        return cut_tiles(size, half, self.network)

    def joined(self, window: list[Seen], tiles: list[Tile]) -> Tensor:
        """The frame put together from its tiles."""
        if len(tiles) == 1:
            return self.part(window, tiles[0]).cpu()
        frame = torch.empty_like(window[0].picture.pixels)
        for tile in tiles:
            frame[:, *tile.core] = self.part(window, tile)[:, *tile.inner].cpu()
        return frame

    def part(self, window: list[Seen], tile: Tile) -> Tensor:
        """The derained centre of one tile, `(c, h, w)` on the device."""
        centre = window[len(window) // 2]
        # The last frame first: those before may be in work for the window before.
        features = [self.features(frame, tile) for frame in reversed(window)][::-1]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.low):
            derained = self.decode(features, self.crop(centre, tile))
        return rearrange(to_whole(derained.float(), centre.picture.pixels.dtype), "1 c h w -> c h w")

    def features(self, frame: Seen, tile: Tile) -> Tensor:
        """A frame's features `(1, f, h', w')` in a tile, computed when first needed."""
        with frame.lock:
            if (found := frame.features.get(tile)) is not None:
                return found
            features = self.network.encode(self.crop(frame, tile))
            if self.low:
                features = features.to(torch.bfloat16)
            if self.keep:
                frame.features[tile] = features
            return features

    def crop(self, frame: Seen, tile: Tile) -> Tensor:
        """A frame's pixels in a tile, in [0, 1] `(1, c, h, w)` on the device."""
        pixels = frame.picture.pixels[:, *tile.outer]
        return to_float(rearrange(pixels, "c h w -> 1 c h w").to(self.device))


def choose_device(name: str) -> torch.device:
    """The device of that name; `auto` is the first accelerator there is, else the CPU.

    Raises:
        ConfigError: if there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
        if device.type == "meta":
            raise ConfigError("the device meta computes nothing; use auto, cpu, cuda or mps")
    except (RuntimeError, AssertionError, NotImplementedError, ImportError):  # torch asserts that it has CUDA
        raise ConfigError(f"there is no device {name!r} here; use auto, cpu, cuda, cuda:1 or mps") from None
    return device


def network_on(weights: str | Path, device: str, trust: bool = False) -> tuple[ClipNetwork, torch.device]:
    """The network that `weights` names, and the device that it is on.

    Raises:
        WeightsError: if there are no such weights, or they are not trusted.
        ConfigError: if there is no such device, or the weights cannot be computed on it.
    """
    network = open_network(weights, trust)
    if isinstance(network, Exported):
        if device not in ("auto", "cpu"):
            raise ConfigError(
                f"{weights} is an exported network, which is computed on the CPU, not on {device}; use cpu"
            )
        device = "cpu"
    place = choose_device(device)
    return network.to(place), place
