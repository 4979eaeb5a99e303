"""Legs of trials on a Ray cluster. Its machines share the sweep's folder, the data and the environment."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray

from raincheck.errors import ConfigError, OutputError, one_line
from raincheck.sweeping.legs import Leg, run_leg

USAGE = "RAY_USAGE_STATS_ENABLED"
ANSWER = 10.0  # seconds


class Cluster:
    """One leg for each GPU of the cluster, or for each core where there is none.

    A leg whose machine or worker is lost is run again elsewhere, by Ray, and goes on from its last checkpoint. A run
    that fails is not: it says so itself.
    """

    def __init__(self) -> None:
        gpu = "GPU" in ray.cluster_resources()
        self._unit = "GPU" if gpu else "CPU"
        self._run = ray.remote(num_cpus=1, num_gpus=int(gpu), max_retries=-1)(run_leg)
        self._legs: dict[Any, Leg] = {}

    @property
    def room(self) -> int:
        """As many as the machines that are there now can run."""
        return max(1, int(ray.cluster_resources().get(self._unit, 0)))

    def start(self, leg: Leg) -> None:
        """Hands a leg to Ray."""
        self._legs[self._run.remote(leg)] = leg

    def next(self) -> tuple[int, str | None]:
        """Waits for a leg to end.

        Raises:
            OutputError: if the cluster is lost as a whole.
        """
        [done], _ = ray.wait(list(self._legs), num_returns=1)
        leg = self._legs.pop(done)
        try:
            error: str | None = ray.get(done)
        except ray.exceptions.RayTaskError as reason:
            error = one_line(reason.cause)
        except ray.exceptions.RayError as reason:
            raise OutputError(f"the Ray cluster is lost ({one_line(reason)}); start it, and go on") from None
        return leg.number, error


@contextmanager
def on_ray() -> Iterator[Cluster]:
    """Joins the cluster that RAY_ADDRESS names or that runs on this machine, or starts one here for the while.

    Raises:
        ConfigError: if there is no such cluster.
    """
    os.environ.setdefault(USAGE, "0")  # Ray's statistics about its own use, which it would send
    _answers(os.environ.get("RAY_ADDRESS", ""))
    try:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(f"no Ray cluster ({one_line(error)}); correct RAY_ADDRESS") from None
    try:
        yield Cluster()
    finally:
        ray.shutdown()


def _answers(address: str) -> None:
    """Asks for a connection, because Ray itself takes minutes to give up.

    Raises:
        ConfigError: if nobody answers at `host:port`.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), ANSWER).close()
    except OSError as error:
        raise ConfigError(f"no Ray cluster answers at {address} ({error}); correct RAY_ADDRESS") from None
