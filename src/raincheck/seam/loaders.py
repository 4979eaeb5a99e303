"""What is known of a loader: how long it is, what it is made of, and what of it no checkpoint has."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from raincheck.seam.own_generators import NUMBERS

SAMPLERS = RandomSampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler
Holdings = dict[tuple[int, str, str], Any]  # by place, class and attribute
ENDLESS = 2**40  # batches: more than anybody has time for


def batches(loader: Any) -> int | None:
    """How many batches a loader has, None if it does not know."""
    try:
        return len(loader)
    except (TypeError, NotImplementedError):
        return None


def counts(loader: Any) -> bool:
    """Whether a loader and its sampler are torch's, of data with indices, or Avalanche's: as long as they say."""
    if type(loader) is not DataLoader:
        return type(loader).__module__.startswith("avalanche.")
    sampler, inner = loader.batch_sampler, getattr(loader.batch_sampler, "sampler", loader.sampler)
    # A sampler of somebody's own may give other numbers than its length says.
    own = type(sampler) not in (BatchSampler, type(None)) or type(inner) not in SAMPLERS
    return not own and not isinstance(loader.dataset, IterableDataset)


def by_index(loader: Any) -> bool:
    """Whether a loader's data are functions of their index alone, as those say that have a true `by_index`."""
    sized = isinstance(loader, DataLoader) and isinstance(loader.batch_sampler, Sampler)
    return sized and all(getattr(data, "by_index", False) for data in innermost(loader.dataset))


def innermost(data: Any) -> list[Any]:
    """The data sets inside Avalanche's."""
    inside = getattr(data, "_datasets", None) or [inner for inner in [getattr(data, "_flat_data", None)] if inner]
    return [deeper for inner in inside for deeper in innermost(inner)] or [data]


def without_first(loader: Any, first: int) -> Any:
    """A loader of the same batches in the same order without the first ones, which are never loaded."""
    if not first:
        return loader
    kept = ("num_workers", "collate_fn", "pin_memory", "timeout", "worker_init_fn", "multiprocessing_context",
            "generator", "prefetch_factor", "persistent_workers")  # fmt: skip
    options = {name: getattr(loader, name) for name in kept}
    return DataLoader(loader.dataset, batch_sampler=Beyond(loader.batch_sampler, first), **options)


class Beyond(Sampler[list[int]]):
    """The batches of another sampler without the first ones."""

    def __init__(self, batches: Sampler[list[int]], first: int) -> None:
        self.batches, self.first = batches, first

    def __iter__(self) -> Iterator[list[int]]:
        yield from islice(self.batches, self.first, None)


def remembers(loader: Any) -> str | None:
    """What in a loader goes on from epoch to epoch, and begins again in a new process; None if nothing is known to."""
    if getattr(loader, "persistent_workers", False):
        return "persistent_workers"
    return next((type(one).__name__ for one in _samplers(loader) if hasattr(one, "set_epoch")), None)


def holdings(loader: Any) -> Holdings:
    """What a loader and its samplers have to themselves: random number generators, numbers and texts.

    Those that passes put in place are not there in a new process.
    """
    return {
        (place, type(one).__name__, name): value
        for place, one in enumerate([loader, *_samplers(loader)])
        for name, value in getattr(one, "__dict__", {}).items()
        if isinstance(value, (*NUMBERS, bool, int, float, str))
    }


def altered(before: Holdings, now: Holdings) -> str | None:
    """The class of what has other holdings than before, None if all are the same."""
    return next((key[1] for key in {**before, **now} if before.get(key) != now.get(key)), None)


def own_numbers(loader: Any) -> list[Any]:
    """The random number generators that a loader and its samplers have to themselves."""
    found = [value for value in holdings(loader).values() if isinstance(value, NUMBERS)]
    return list({id(one): one for one in found}.values())


def _samplers(loader: Any) -> list[Any]:
    outer = getattr(loader, "batch_sampler", None)
    return [getattr(loader, "sampler", None), outer, getattr(outer, "sampler", None)]
