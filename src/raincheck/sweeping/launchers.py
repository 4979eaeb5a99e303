"""Where the legs of trials run: here, one after another, or on a Ray cluster."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from raincheck.errors import ConfigError
from raincheck.sweeping.legs import Leg, run_leg


class Launcher(Protocol):
    """Runs legs."""

    @property
    def room(self) -> int:
        """How many legs can run at once, now."""
        ...

    def start(self, leg: Leg) -> None:
        """Takes a leg on."""
        ...

    def next(self) -> tuple[int, str | None]:
        """Waits for one of the legs to end: its trial's number, and what went wrong, if anything did."""
        ...


class Here:
    """One leg at a time, on this machine: a run uses all of its cores, or its GPU."""

    room = 1

    def __init__(self) -> None:
        self._legs: list[Leg] = []

    def start(self, leg: Leg) -> None:
        """Takes a leg on."""
        self._legs.append(leg)

    def next(self) -> tuple[int, str | None]:
        """Runs a leg."""
        leg = self._legs.pop(0)
        return leg.number, run_leg(leg)


@contextmanager
def _here() -> Iterator[Launcher]:
    yield Here()


def _on_ray() -> AbstractContextManager[Launcher]:
    try:
        from raincheck.sweeping.on_ray import on_ray
    except ImportError:
        raise ConfigError("--launcher ray needs a package; pip install 'raincheck[ray]'") from None
    return on_ray()


LAUNCHERS: dict[str, Callable[[], AbstractContextManager[Launcher]]] = {"local": _here, "ray": _on_ray}
