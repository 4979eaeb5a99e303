"""Features of a layer inside a network, and how far apart two networks are in them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raincheck.errors import ConfigError


def features(model: nn.Module, layer: str, clips: Tensor) -> Tensor:
    """A layer's output for rainy clips `(b, t, c, h, w)`, in one pass through the whole model."""
    said: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _, __, output: said.append(output))
    try:
        model(clips)
    finally:
        handle.remove()
    return said[0]


def feature_distance(model: nn.Module, teacher: nn.Module, layer: str, clips: Tensor) -> Tensor:
    """The L1 distance of two networks' features of rainy clips `(b, t, c, h, w)`; the teacher gets no gradient."""
    with torch.no_grad():
        target = features(teacher, layer, clips)
    return F.l1_loss(features(model, layer, clips), target)


def refuse_other_layer(model: nn.Module, layer: str) -> None:
    """Raises ConfigError if a network has no such layer."""
    if layer not in dict(model.named_modules()):
        names = ", ".join(name for name, _ in model.named_children())
        raise ConfigError(f"the network has no layer {layer!r} to compare features of; it has {names}")
