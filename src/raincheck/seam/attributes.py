"""What a strategy and its parts keep in plain attributes, which no `state_dict` has."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module
from torch.utils._pytree import tree_leaves, tree_map_only

from raincheck.checkpoint import foreign

Attributes = dict[str, dict[str, Any]]
# Kept elsewhere.
OF_OPTIMIZERS = {"param_groups", "state"}
OF_MODULES = set(vars(Module()))


def attributes(strategy: Any) -> Attributes:
    """Numbers and texts of a strategy; of its network's modules, criterion and optimizer also nests of them."""
    return {
        owner: {name: copy.deepcopy(value) for name, value in found.items() if not _holds_tensors(value)}
        for owner, found in _found(strategy)
    }


def changed(strategy: Any, before: Attributes) -> Attributes:
    """Those that are not what they were when the strategy was made, of the parts that it had then.

    With them all tensors and arrays: attributes, nests of them, and buffers that are not persistent.
    """
    parts = {
        owner: {
            name: tree_map_only(Tensor, Tensor.detach, value)
            for name, value in found.items()
            if _holds_tensors(value) or before[owner].get(name) != value
        }
        for owner, found in _found(strategy)
        if owner in before
    }
    return {owner: own for owner, own in parts.items() if own}


def restore(strategy: Any, kept: Attributes) -> None:
    """Puts back what `changed` gave."""
    for owner, of in _owners(strategy):
        found = tree_map_only(Tensor, lambda tensor: tensor.to(strategy.device), kept.get(owner, {}))
        for name, value in found.items():
            setattr(of, name, _put_back(value, getattr(of, name, None)))


def _put_back(kept: Any, present: Any) -> Any:
    """What was kept, in the objects that are there: something else may hold them too."""
    if isinstance(kept, Tensor) and isinstance(present, Tensor):
        if (kept.shape, kept.dtype) == (present.shape, present.dtype) and not _expanded(present):
            present.data.copy_(kept)
            return present
        return kept.to(present.device)
    if isinstance(kept, dict) and type(present) is type(kept):
        items = {key: _put_back(value, present.get(key)) for key, value in kept.items()}
        present.clear()
        present.update(items)
        return present
    if isinstance(kept, list) and isinstance(present, list):
        there = [*present, *[None] * len(kept)]
        present[:] = [_put_back(value, one) for value, one in zip(kept, there, strict=False)]
        return present
    return kept


def _expanded(tensor: Tensor) -> bool:
    """Whether a tensor has rows that are one in memory, which nothing can be copied into."""
    return tensor.layout == torch.strided and 0 in tensor.stride()


def _owners(strategy: Any) -> Iterator[tuple[str, Any]]:
    parts = {"model": strategy.model, "criterion": strategy._criterion, "optimizer": strategy.optimizer}
    for name, part in {**parts, "strategy": strategy}.items():
        if isinstance(part, Module):
            yield from ((f"{name}.{inner}", module) for inner, module in part.named_modules())
        elif hasattr(part, "__dict__"):
            yield name, part


def _found(strategy: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for owner, of in _owners(strategy):
        elsewhere = OF_OPTIMIZERS if owner == "optimizer" else OF_MODULES
        named = {name: value for name, value in vars(of).items() if name not in elsewhere}
        if isinstance(of, Module):
            named |= {name: of._buffers[name] for name in of._non_persistent_buffers_set}
        if owner == "strategy":  # in which plugins leave a number; what code of its own leaves is in its state_dict
            yield owner, {n: v for n, v in named.items() if isinstance(v, bool | int | float | str) and n[0] != "_"}
        else:
            yield owner, {name: value for name, value in named.items() if foreign(value) is None}


def _holds_tensors(value: Any) -> bool:
    return any(isinstance(leaf, Tensor | np.ndarray) for leaf in tree_leaves(value))
