"""Tiles: their results are those of whole frames, and they are as small as memory asks for."""

import sys
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor

from program import finish
from raincheck.deraining import Engine, room
from raincheck.deraining.engine import Seen
from raincheck.deraining.free_memory import cgroup_rooms
from raincheck.deraining.passing import derain_pictures
from raincheck.deraining.room import needed, plan_tiles
from raincheck.deraining.tiles import cut_tiles, narrower
from raincheck.errors import ConfigError
from raincheck.networks import ClipNetwork, Identity, RRGNet
from raincheck.video.stream import FOLDER_RATE, at_rate

CPU = torch.device("cpu")


def network(depth: int = 1, grouped: bool = True) -> RRGNet:
    """Random weights with a strong head: an untrained RRGNet is the identity."""
    torch.manual_seed(0)
    net = RRGNet(width=8, depth=depth, grouped=grouped)
    torch.nn.init.normal_(net.head.weight, std=0.3)
    return net.eval()


def frames(count: int, high: int, wide: int) -> Tensor:
    return torch.randint(0, 256, (count, 3, high, wide), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def derained(net: ClipNetwork, video: Tensor, tile: int | str, precision: str = "fp32") -> Tensor:
    engine = Engine(net, CPU, precision, tile)
    return torch.stack([d for _, d in derain_pictures(at_rate(video, FOLDER_RATE), engine, cuts=False)])


@pytest.mark.parametrize("depth", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("grouped", [True, False])
def test_the_stated_reach_is_that_of_the_gradient(depth: int, grouped: bool) -> None:
    """With weights and inputs that are all positive no path is cut or cancels, so the gradient shows every one."""
    net = network(depth, grouped).double()
    for parameter in net.parameters():
        parameter.data.abs_().add_(1e-3)
    assert net.reach is not None
    reached = 0
    for offset in range(0, 2 * net.multiple, 3):  # what a pixel sees depends on where in a block of 8 it is
        side = 2 * net.reach + 4 * net.multiple
        clip = torch.rand(1, 5, 3, side, side, dtype=torch.float64).requires_grad_()
        at = side // 2 + offset
        net.train()(clip)[0, :, at, at].sum().backward()  # in evaluation a clamp would cut the paths
        assert clip.grad is not None
        rows = clip.grad.abs().sum(dim=(0, 1, 2, 4)).nonzero().flatten()
        reached = max(reached, at - int(rows.min()), int(rows.max()) - at)
    assert net.reach - 24 <= reached <= net.reach


LARGE = product([(301, 222), (160, 488), (136, 136), (40, 600)], [(1, 136), (1, 200), (2, 224)])


@pytest.mark.parametrize(
    ("size", "depth_and_tile"),
    [((181, 150), (1, 136)), ((40, 300), (2, 224)), *(pytest.param(*case, marks=pytest.mark.slow) for case in LARGE)],
)
def test_tiled_equals_untiled(size: tuple[int, int], depth_and_tile: tuple[int, int]) -> None:
    (high, wide), (depth, tile) = size, depth_and_tile
    net, video = network(depth), frames(3, high, wide)
    whole, tiled = derained(net, video, "none"), derained(net, video, tile)
    assert (whole.int() - tiled.int()).abs().max() <= 1
    assert (whole.int() - video.int()).abs().float().mean() > 3  # the network does something
    assert len(cut_tiles((high, wide), narrower(net, tile), net)) > (high > tile or wide > tile)


def test_an_overlap_that_is_too_small_would_be_seen() -> None:
    """The test above can fail."""
    net, video = network(), frames(1, 160, 320)
    whole = derained(net, video, "none")
    net.reach = 8
    assert (whole.int() - derained(net, video, 64).int()).abs().max() > 1


def test_cores_cover_every_pixel_once() -> None:
    net = network()
    for high in (1, 135, 136, 137, 250, 391):
        count = torch.zeros(high, 300, dtype=torch.int)
        for tile in cut_tiles((high, 300), 136, net):
            count[tile.core] += 1
            part = torch.zeros(tile.rows.end - tile.rows.begin, tile.columns.end - tile.columns.begin)[tile.inner]
            assert part.shape == count[tile.core].shape
        assert (count == 1).all()


def test_sides_that_do_not_suit_the_network() -> None:
    net = network()
    assert narrower(net, 143) == 136
    with pytest.raises(ConfigError, match="tiles of 130 are too small for RRGNet; use --tile 136 or more"):
        Engine(net, CPU, tile=130)
    with pytest.raises(ConfigError, match="tiles of 1 are too small for RRGNet; use --tile 136 or more"):
        Engine(net, CPU, tile=1)
    net.reach = None
    with pytest.raises(ConfigError, match="RRGNet looks at whole frames and cannot work in tiles; use --tile none"):
        Engine(net, CPU, tile=512)
    assert plan_tiles(net, (9000, 9000), CPU, False, "auto") == (None, True)
    assert Engine(Identity(), CPU, tile=8).tile == 8


def test_tiles_follow_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    net, size, features = network(), (1080, 1920), 8.0
    found = []
    for megabytes in (100_000, 1000, 300, 60, 1):
        monkeypatch.setattr(room, "free_bytes", lambda _, free=megabytes * 10**6: free)
        side, keep = plan_tiles(net, size, CPU, False, "auto")
        found.append((side or 9999, keep))
        assert needed(net, size, features, side, keep) <= megabytes * 10**6 / 2 or (side, keep) == (192, False)
    assert found == sorted(found, reverse=True) and found[0] == (9999, True) and found[-1][1] is False
    assert len(set(found)) >= 4
    # In bfloat16 features take half, and tiles whose features are not kept what a frame of their size takes.
    monkeypatch.setattr(room, "free_bytes", lambda _: 2 * needed(net, size, features / 2, None, True))
    assert plan_tiles(net, size, CPU, True, "auto") == (None, True) != plan_tiles(net, size, CPU, False, "auto")
    assert needed(net, (300, 300), features, 136, False) == needed(net, (136, 136), features, None, False)


@pytest.mark.parametrize("high", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_when_memory_runs_out_tiles_shrink(monkeypatch: pytest.MonkeyPatch, high: int) -> None:
    net, video = network(), frames(3, high, 400)
    whole, real = derained(net, video, "none"), net.decode

    def small(features: Tensor, centre: Tensor) -> Tensor:
        if centre.shape[-1] > 200:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(features, centre)

    monkeypatch.setattr(net, "decode", small)
    assert (derained(net, video, "auto").int() - whole.int()).abs().max() <= 1
    window = [Seen(picture) for picture in at_rate(video[[2, 1, 0, 1, 2], :, :280, :280], FOLDER_RATE)]
    Engine(net, CPU, tile="auto").derain(window)
    assert not any(frame.features for frame in window)  # nothing is held any more that could be computed again
    with pytest.raises(
        ConfigError, match=f"the memory of cpu is too small for frames of 400x{high} in tiles of 400; use"
    ):
        derained(net, video, "none")
    monkeypatch.setattr(net, "decode", lambda *_: (_ for _ in ()).throw(RuntimeError("a defect")))
    with pytest.raises(RuntimeError, match="a defect"):
        derained(net, video, "auto")


def test_features_are_kept_only_where_there_is_room() -> None:
    net, video = network(), frames(1, 64, 64)
    engine = Engine(net, CPU)
    (picture,) = at_rate(video, FOLDER_RATE)
    window = [Seen(picture) for _ in range(5)]
    first = engine.derain(window)
    assert all(len(frame.features) == 1 for frame in window)
    assert not any(feature.requires_grad for frame in window for feature in frame.features.values())
    engine.keep = False
    for frame in window:
        frame.features.clear()
    torch.testing.assert_close(engine.derain(window), first)
    assert not any(frame.features for frame in window)


def test_bf16_is_close() -> None:
    net, video = network(), frames(3, 48, 64)
    torch.nn.init.normal_(net.head.weight, std=0.05)
    full, half = derained(net, video, "none"), derained(net, video, "none", "bf16")
    assert 0 < (full.int() - half.int()).abs().float().mean() < 1


def group(folder: Path, limit: str, usage: int, cache: int, names: tuple[str, str, str]) -> None:
    """A control group's folder, as the kernel shows it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{usage}\n")
    (folder / "memory.stat").write_text(f"anon 1\nfile {cache}\n{names[2]} {cache}\nactive_file 3\n")


V2 = ("memory.max", "memory.current", "inactive_file")
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def test_the_limit_of_a_container_counts(tmp_path: Path) -> None:
    assert cgroup_rooms(tmp_path, "") == cgroup_rooms(tmp_path, "0::/\n") == []
    group(tmp_path, "max", 300, 0, V2)
    assert cgroup_rooms(tmp_path, "0::/\n") == []
    group(tmp_path, "1000", 300, 0, V2)
    assert cgroup_rooms(tmp_path, "0::/\n") == cgroup_rooms(tmp_path, "0::/of/the/host\n") == [700]


def test_cache_of_files_is_no_used_memory_and_groups_above_limit_too(tmp_path: Path) -> None:
    group(tmp_path / "a", "1000", 900, 600, V2)
    group(tmp_path / "a" / "b", "max", 500, 300, V2)
    group(tmp_path / "a" / "b" / "c", "800", 400, 100, V2)
    group(tmp_path / "other", "10", 10, 0, V2)
    assert sorted(cgroup_rooms(tmp_path, "0::/a/b/c\n")) == [500, 700]


def test_the_first_version_of_control_groups(tmp_path: Path) -> None:
    group(tmp_path / "memory" / "a", "1000", 900, 600, V1)
    group(tmp_path / "memory" / "a" / "b", "5000", 800, 500, V1)
    described = "9:name=systemd:/\n4:cpu,memory:/a/b\n1:cpuset:/memory\n0::/\n"
    assert sorted(cgroup_rooms(tmp_path, described)) == [700, 4700]


MEASURE = r"""
import re, sys, torch
from pathlib import Path
from raincheck.deraining import Engine
from raincheck.deraining.passing import derain_pictures
from raincheck.deraining.room import feature_bytes, needed
from raincheck.networks import RRGNet
from raincheck.video.stream import FOLDER_RATE, at_rate
torch.set_num_threads(1)
net, cpu = RRGNet(width=int(sys.argv[1])).eval(), torch.device("cpu")
def go(size):
    video = torch.zeros(6, 3, *size, dtype=torch.uint8)
    list(derain_pictures(at_rate(video, FOLDER_RATE), Engine(net, cpu)))
    # Not getrusage, whose peak a process takes over from the one that started it.
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
small = go((64, 64))
print(go((720, 1280)) - small, needed(net, (720, 1280), feature_bytes(net, cpu), None, True))
"""


@pytest.mark.slow
def test_the_estimate_is_above_what_is_used() -> None:
    done = finish([sys.executable, "-c", MEASURE, "32"], check=True)
    used, estimate = map(float, done.stdout.split())
    assert estimate / 4 < used < estimate
