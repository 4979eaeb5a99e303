"""Attributes of a strategy's parts come back in the objects that are there."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from raincheck.seam.attributes import attributes, changed, restore


class Part(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.zeros(2), persistent=False)
        self.register_buffer("kept", torch.zeros(2))
        self.numbers, self._nest, self.pair = [1], {"a": torch.zeros(2), "b": [2], "c": 1}, (1, 2)
        self.wide, self.array, self.function = torch.zeros(1).expand(3), np.zeros(2), len

    def change(self) -> None:
        self.table += 1
        self.kept += 1
        self.numbers.append(3)
        self._nest["a"] += 1
        self._nest["b"].append(4)
        del self._nest["c"]
        self.pair, self.wide, self.array = (1, 3), torch.ones(1).expand(3), np.ones(2)


def strategy() -> Any:
    criterion = nn.Sequential(Part())
    model = nn.Sequential(nn.Linear(2, 2), Part())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return SimpleNamespace(
        model=model, _criterion=criterion, optimizer=optimizer, device=torch.device("cpu"), epochs=1, _own=1, nest=[1]
    )


@pytest.mark.parametrize("part", [lambda s: s.model[1], lambda s: s._criterion[0]], ids=["model", "criterion"])
def test_what_changed_comes_back_where_it_was(part: Any) -> None:
    one, other = strategy(), strategy()
    made = attributes(one)
    part(one).change()
    one.epochs, one._own, one.optimizer.steps = 2, 2, [5]
    kept = changed(one, made)
    there = part(other)
    table, numbers, nest = there.table, there.numbers, there._nest
    restore(other, kept)
    assert (table.tolist(), numbers, nest["a"].tolist(), nest["b"]) == ([1, 1], [1, 3], [1, 1], [2, 4])
    assert nest.keys() == {"a", "b"}
    assert there.table is table and there.numbers is numbers and there._nest is nest
    assert (there.pair, there.wide.tolist(), there.array.tolist()) == ((1, 3), [1, 1, 1], [1, 1])
    assert there.kept.tolist() == [0, 0]  # is in the state_dict
    assert (other.epochs, other._own, other.nest, other.optimizer.steps) == (2, 1, [1], [5])


def test_only_what_changed_is_kept_and_tensors() -> None:
    one = strategy()
    kept = changed(one, attributes(one))
    tensors = {"table", "_nest", "wide", "array"}
    assert {owner: set(own) for owner, own in kept.items()} == {"model.1": tensors, "criterion.0": tensors}
