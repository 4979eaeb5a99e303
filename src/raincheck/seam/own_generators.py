"""Random number generators that what loads the data has to itself, besides the global ones."""

import pickle
import random
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from inspect import getattr_static
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

NUMBERS = Generator, np.random.Generator, np.random.RandomState, random.Random
GLOBAL = torch.default_generator, np.random.mtrand._rand, getattr(random, "_inst", None)  # which a checkpoint has
OPAQUE = str, bytes, Tensor, np.ndarray  # in which there are none
DEEP, FEW = 16, 64  # steps inwards; entries of a list that is looked through


class Alone:
    """The generators that a loader's data, transforms and collate function have to themselves.

    They go on from experience to experience where these share them, which a checkpoint of one cannot know. Not so where
    other processes load, which get them anew in every epoch.
    """

    def __init__(self, loader: Any) -> None:
        names = () if getattr(loader, "num_workers", 0) else ("dataset", "data", "collate_fn")
        roots = [getattr(loader, name, None) for name in names]
        self._found = [(owner, one, _frozen(one)) for owner, one in _owned(roots, DEEP, set())]

    def drew(self) -> str | None:
        """What has drawn from its own since this was made, None if nothing has."""
        return next((owner for owner, one, before in self._found if _frozen(one) != before), None)


def states_of(generators: list[Any]) -> list[Any]:
    """The states of such generators, as tensors and primitives."""
    return [_state(one) for one in generators]


def set_states(generators: list[Any], states: list[Any]) -> None:
    """Puts such generators into states that `states_of` gave."""
    for one, state in zip(generators, states, strict=True):
        if isinstance(one, np.random.Generator):
            one.bit_generator.state = state
        elif isinstance(one, random.Random):
            one.setstate(state)
        else:
            one.set_state(state)


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    if isinstance(generator, random.Random):
        return generator.getstate()
    return generator.get_state() if isinstance(generator, Generator) else generator.get_state(legacy=False)


def _frozen(generator: Any) -> bytes:
    state = _state(generator)
    return pickle.dumps(state.numpy() if isinstance(state, Tensor) else state)


def _owned(one: Any, deep: int, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Generators in something, each with the class or name of who has it."""
    if not deep or id(one) in seen or isinstance(one, OPAQUE) or getattr_static(one, "by_index", False) is True:
        return
    seen.add(id(one))
    kind: Any = type(one)
    parts = _parts(one)
    named = _named(one) if isinstance(one, FunctionType) else [] if id(kind) in seen else _used(kind)
    seen.add(id(kind))  # whose methods are looked at once
    yield from ((getattr(one, "__qualname__", kind.__name__), own) for own in [*parts, *named] if _is_own(own))
    for part in parts:
        yield from _owned(part, deep - 1, seen)


def _is_own(one: Any) -> bool:
    return isinstance(one, NUMBERS) and all(one is not known for known in GLOBAL)


def _named(function: FunctionType) -> list[Any]:
    """The generators that a function knows by a name of its module's."""
    return list(filter(_is_own, map(function.__globals__.get, function.__code__.co_names)))


def _used(kind: Any) -> list[Any]:
    """Those that methods of a class know."""
    methods = [one for base in kind.__mro__ for one in vars(base).values() if isinstance(one, FunctionType)]
    return [own for method in methods for own in _named(method)]


def _parts(one: Any) -> list[Any]:
    """What something is made of: entries, attributes, and what a function was given."""
    if isinstance(one, list | tuple | dict):
        entries = list(one.values() if isinstance(one, dict) else one)
        return entries if len(entries) <= FEW else []
    if isinstance(one, FunctionType):
        return [*(one.__defaults__ or ()), *(one.__kwdefaults__ or {}).values(), *_cells(one)]
    if isinstance(one, MethodType):
        return [one.__func__, one.__self__]
    if isinstance(one, partial):
        return [one.func, *one.args, *one.keywords.values()]
    return [] if isinstance(one, type) else list(getattr(one, "__dict__", {}).values())


def _cells(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # is empty yet
            yield cell.cell_contents
