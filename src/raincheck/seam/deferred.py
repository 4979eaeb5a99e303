"""The loader that Lightning is given: late, as Avalanche's loop asks for it, and exact when an experience goes on."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any
from weakref import ref

from raincheck.errors import ConfigError
from raincheck.generators import Generators, generators, same, set_generators
from raincheck.processes.loading import whole_batches
from raincheck.seam.loaders import (
    ENDLESS,
    batches,
    by_index,
    counts,
    own_numbers,
    remembers,
    without_first,
)
from raincheck.seam.own_generators import set_states, states_of

State = dict[str, Any]


class DeferredLoader:
    """The experience's loader, not asked for an iterator before its first batch is wanted.

    Lightning asks at the start of a fit, Avalanche after `before_training_epoch`, and not at all when a plugin has
    stopped the experience; asking draws random numbers. Several processes divide the loading of each batch.

    Lightning saves and restores it with its own loops. Any loader can be restored exactly that draws from the global
    generators and its `own_numbers` only: what those were when the epoch began is remembered, what the global ones were
    for each fetch that drew from them, and the batches that were taken before are fetched again. Of data that is a
    function of its index alone (`by_index`), they need not be.

    Args:
        fit: the loop of the experience; its `halted` says that a plugin stopped the experience, its `over` that the
            epoch wants no more batches.
        remembers: whether the state will be asked for.
    """

    def __init__(self, fit: Any, remembers: bool) -> None:
        self.fit, self.remembers = fit, remembers
        self._pass: Any = None  # weakly, because workers that load end with it
        self._last: int | None = None  # batch of this pass, where its number is believed
        self._taken = 0
        self._own: list[Any] = []  # the loader's own generators
        self._began: list[Any] = []  # what they were when the epoch began
        self._draws: dict[int, Generators] = {}  # by batch: the generators before a fetch that drew from them
        self._resumed: State | None = None

    def __len__(self) -> int:
        """The number of batches; `ENDLESS` where the loader does not know it or may be wrong.

        Then Lightning asks for batches until there are no more. It would stop at a length that is too small, where
        Avalanche goes on, and of a loader without a length it would fetch one batch ahead.

        Raises:
            TypeError: of a loader that does not know, if the last batch must be known as such.
        """
        trainer, loader = self.fit.trainer, self.fit.strategy.dataloader
        share = trainer.limit_val_batches if trainer.validating else trainer.limit_train_batches
        needed = trainer.accumulate_grad_batches > 1 or (isinstance(share, float) and share < 1)
        length = batches(loader) if needed or counts(loader) else ENDLESS
        if length is None and needed:
            raise TypeError("the loader does not know how many batches it has")
        return length or ENDLESS  # one that is empty may be filled before the epoch begins

    def __getstate__(self) -> dict[str, Any]:
        """A copy, as of a strategy with its last Trainer, is not in the middle of a pass."""
        return {**vars(self), "_pass": None}

    def __iter__(self) -> Iterator[Any]:
        batches = self._batches()
        self._pass = ref(batches)
        return batches

    def finish(self) -> None:
        """Asks for one more batch after the last, as a loop over the loader does and Lightning, which counts, does not.

        A sampler may draw random numbers then, and a generator of its own goes on into the next epoch.
        """
        if self._taken == self._last and not self.fit.over:
            next(self._pass(), None)

    def _batches(self) -> Iterator[Any]:
        if self.fit.halted or self.fit.over:
            return
        resumed, self._resumed = self._resumed, None
        self._taken, self._draws = 0, {}
        loader = self.fit.strategy.dataloader
        self._last = batches(loader) if counts(loader) else None
        if self.remembers:
            self._own = own_numbers(loader)
            if resumed is not None:
                set_states(self._own, resumed["began"])
            self._began = states_of(self._own)
            yield from self._remembering(loader, None if resumed is None else self._again(loader, resumed))
        else:
            for self._taken, batch in enumerate(self._begin(loader), 1):  # noqa: B020, as Avalanche's own loop
                yield batch
                if self.fit.over:
                    return

    def _begin(self, loader: Any) -> Iterator[Any]:
        """The loader's batches, with a key by which this pass is known again when it is resumed."""
        return map(_batch, whole_batches(loader, self.fit.strategy.clock.train_iterations - self._taken))

    def _remembering(self, loader: Any, batches: Iterator[Any] | None) -> Iterator[Any]:
        left: Generators | None = None  # by the last fetch
        draws_order_only = by_index(loader)
        while True:
            watched = self._taken == 0 or not draws_order_only
            before = generators() if watched else None
            batches = self._begin(loader) if batches is None else batches
            batch = next(batches, self)
            if before:
                after = generators()
                # Where nothing else drew since the last fetch, fetching in sequence comes to the same.
                if not same(before, after) and not (left and same(before, left)):
                    self._draws[self._taken] = before
                left = after
            if batch is self:
                return
            self._taken += 1
            yield batch
            if self.fit.over:
                return

    def _again(self, loader: Any, resumed: State) -> Iterator[Any]:
        """The loader's iterator after the batches that were taken, and the generators as they were then."""
        taken, self._draws = resumed["taken"], dict(resumed["draws"])
        self._taken = taken
        # Own generators are set after the fetches so far, which have to be all that drew from them then.
        first = taken if by_index(loader) and not remembers(loader) and not self._own else 0
        self._redraw(0)
        batches = self._begin(without_first(loader, first))
        # The first fetch draws the order, so it comes before the generators are set.
        waiting = list(islice(batches, 1 if first else 0))  # none, where all were taken
        for index in range(first, taken):
            if index:
                self._redraw(index)
            next(batches)
        set_generators(resumed["generators"])
        set_states(self._own, resumed["own"])
        return chain(waiting, batches)

    def _redraw(self, index: int) -> None:
        if index in self._draws:
            set_generators(self._draws[index])

    def state_dict(self) -> State:
        """How far the epoch has come, and the generators: before the fetches so far, and now."""
        return {
            "taken": self._taken,
            "began": self._began,
            "own": states_of(self._own),
            "draws": dict(self._draws),
            "generators": generators(),
        }

    def load_state_dict(self, state: State) -> None:
        """Makes the next epoch go on where `state_dict` was called."""
        self._resumed = state


def _batch(loaded: Any) -> Any:
    """What a loader gave, if it is anything: Lightning would pass over None, at which Avalanche's loop fails."""
    if loaded is None:
        raise ConfigError(
            "the loader gave None in place of a batch, as of a collate function that finds nothing to use in it; leave "
            "what cannot be used out of the data"
        )
    return loaded
