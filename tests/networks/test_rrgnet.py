"""RRGNet's parts see the frames that its drawing says."""

import pytest
import torch

from raincheck.errors import ConfigError
from raincheck.networks import RRGNet


def changed_by(net: RRGNet) -> list[bool]:
    """For each frame of a window of five, whether the rain that is found depends on it."""
    clip, found = torch.rand(1, 5, 3, 16, 16, generator=torch.Generator().manual_seed(0)), []
    with torch.no_grad():
        rain = clip[:, 2] - net.train()(clip)
        for index in range(5):
            other = clip.clone()
            other[:, index] = clip[:, index].flip(-1)
            found.append(not torch.equal(other[:, 2] - net(other), rain))
    return found


def network() -> RRGNet:
    torch.manual_seed(0)
    net = RRGNet(width=4)
    torch.nn.init.normal_(net.head.weight, std=0.5)
    return net


@pytest.mark.parametrize(
    ("branches", "seen"),
    [([], [2]), ([0], [1, 2, 3]), ([1], [0, 2, 4]), ([0, 1], [0, 1, 2, 3, 4])],
    ids=["none", "near", "far", "both"],
)
def test_each_branch_sees_its_distance_and_the_skip_the_centre(branches: list[int], seen: list[int]) -> None:
    net = network()
    for index in {0, 1} - set(branches):
        net.fuse.weight.data[:, 4 * index : 4 * index + 4] = 0
    assert [index for index, change in enumerate(changed_by(net)) if change] == seen


@pytest.mark.parametrize("sizes", [{"window": 4}, {"window": -1}, {"width": 0}, {"depth": 0}])
def test_sizes_that_make_no_network(sizes: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"^RRGNet cannot have window -?\d, width \d+, depth \d; give an odd window"):
        RRGNet(**sizes)
