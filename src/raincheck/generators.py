"""The state of the global random number generators: Python's, NumPy's, torch's and CUDA's."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

Generators = dict[str, Any]


def generators() -> Generators:
    """The states of all global generators, as tensors and primitives."""
    name, keys, *rest = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": [str(name), torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_generators(states: Generators) -> None:
    """Puts the global generators into states that `generators` gave."""
    version, keys, cached = states["python"]
    random.setstate((version, tuple(keys), cached))
    name, state, *rest = states["numpy"]
    np.random.set_state((name, state.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])


def seed_generators(seed: int) -> None:
    """Seeds all global generators, as Lightning's `seed_everything` does, with a number of 32 bits."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)  # CUDA's too


def same(one: Generators, other: Generators) -> bool:
    """Whether no number was drawn between two states."""
    tensors = [
        (one["torch"], other["torch"]),
        (one["numpy"][1], other["numpy"][1]),
        *zip(one["cuda"], other["cuda"], strict=True),
    ]
    primitives = one["python"] == other["python"] and one["numpy"][2:] == other["numpy"][2:]
    return primitives and all(torch.equal(a, b) for a, b in tensors)


@contextmanager
def own_numbers(*key: int) -> Iterator[None]:
    """Lets a process draw random numbers of its own; afterwards the generators are as they were before.

    Args:
        key: decides the numbers, together with torch's seed.
    """
    python, numpy = random.getstate(), np.random.get_state()
    seeds = np.random.SeedSequence((torch.initial_seed() % 2**64, *key)).generate_state(3)
    # In a worker that loads, which is a fork, CUDA cannot be asked.
    in_use = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    with torch.random.fork_rng([torch.cuda.current_device()] if in_use else []):
        random.seed(int(seeds[0]))
        np.random.seed(seeds[1])
        torch.manual_seed(int(seeds[2]))
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


@contextmanager
def no_reseeding() -> Iterator[None]:
    """Hides the seed of `seed_everything` from Lightning, whose several processes go back to it at every start."""
    seed = os.environ.pop("PL_GLOBAL_SEED", None)
    try:
        yield
    finally:
        if seed is not None:
            os.environ["PL_GLOBAL_SEED"] = seed
