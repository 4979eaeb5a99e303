"""Stock plugins that want labels: LightningStrategy against Avalanche's own loop on a small classification stream."""

from functools import partial
from typing import Any

import pytest
from avalanche.models import MTSimpleMLP
from avalanche.training.plugins import (
    AGEMPlugin,
    CWRStarPlugin,
    EWCPlugin,
    FromScratchTrainingPlugin,
    GDumbPlugin,
    GEMPlugin,
    LFLPlugin,
    LwFPlugin,
    MASPlugin,
    MIRPlugin,
    ReplayPlugin,
    RWalkPlugin,
    SynapticIntelligencePlugin,
)
from avalanche.training.templates import SupervisedTemplate

from parity import MLP, assert_same, classes, learn, mlp
from raincheck.strategy import LightningStrategy

PLUGINS: dict[str, Any] = {
    "naive": lambda *_: [],
    "lwf": lambda *_: [LwFPlugin()],
    "ewc": lambda *_: [EWCPlugin(10)],
    "si": lambda *_: [SynapticIntelligencePlugin(1.0)],
    "mas": lambda *_: [MASPlugin()],
    "rwalk": lambda *_: [RWalkPlugin(delta_t=2)],
    "replay": lambda *_: [ReplayPlugin(12)],
    "gdumb": lambda *_: [GDumbPlugin(12)],
    "mir": lambda *_: [MIRPlugin(batch_size_mem=4, mem_size=12, subsample=8)],
    "agem": lambda *_: [AGEMPlugin(6, 6)],
    "gem": lambda *_: [GEMPlugin(6, 0.5)],
    "from scratch": lambda *_: [FromScratchTrainingPlugin()],
    "lwf and replay": lambda *_: [LwFPlugin(), ReplayPlugin(12)],
}
SINGLE_HEAD: dict[str, Any] = {"cwr*": lambda m, _: [CWRStarPlugin(m)], "lfl": lambda *_: [LFLPlugin(0.1)]}
CASES = [(name, heads) for heads in (1, 3) for name in PLUGINS] + [(name, 1) for name in SINGLE_HEAD]


@pytest.mark.parametrize(("name", "heads"), CASES)
def test_same_bits_as_avalanche(name: str, heads: int) -> None:
    setting = {
        "stream": partial(classes, heads),
        "model": partial(MTSimpleMLP, **MLP) if heads > 1 else mlp,
        "beside": (PLUGINS | SINGLE_HEAD)[name],
    }
    assert_same(learn(LightningStrategy, setting), learn(SupervisedTemplate, setting))
