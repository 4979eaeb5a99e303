"""The runs of a grid: one after another in this process, or several side by side in processes that each do many."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from itertools import islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import torch

from raincheck.ablation.plan import Planned
from raincheck.datasets.rendering.kept import keep
from raincheck.errors import ConfigError, DivergenceError
from raincheck.processes import cores, first_does
from raincheck.processes.shielded import Pool
from raincheck.run import run
from raincheck.running.outcome import Report

ROOM = 2**30  # bytes of rendered clips that a process keeps for the next cell
GRACE = 20.0  # seconds that an interrupted run has to end
STOP = signal.SIGUSR2  # Ctrl-C reaches every process of a terminal, and would interrupt a run twice

Found = tuple[Planned, Report | None]

_cut = threading.Event()  # in a process of several: the line to the one that asks has been cut


def in_turn(planned: Sequence[Planned], begin: Callable[[Planned], bool]) -> Iterator[Found]:
    """Does one run after another, also where several processes are one program; None stands for one that failed.

    Args:
        planned: what to do, in order.
        begin: asked before each run; False leaves it out.
    """
    try:
        for one in planned:
            if first_does(partial(begin, one)):
                yield one, do(one)
    finally:
        keep(0)


def do(planned: Planned) -> Report | None:
    """One run's report; its clips are kept until a run on others comes.

    None if its loss became no number: it would again, so that is what was found, and is noted in the run's folder.
    """
    keep(ROOM, of=planned.clips)
    try:
        first_does(planned.forget)
        return run(planned.config, planned.folder)
    except DivergenceError as error:
        first_does(partial(planned.fail, str(error)))
        return None


def do_until_told(planned: Planned) -> Report | None:
    """Does a run that `STOP` interrupts as Ctrl-C would; between runs it means nothing, but that no more begins.

    Raises:
        KeyboardInterrupt: if the run is interrupted, or was before it began.
    """
    signal.signal(STOP, signal.default_int_handler)
    try:
        if _cut.is_set():
            raise KeyboardInterrupt
        return do(planned)
    finally:
        signal.signal(STOP, signal.SIG_IGN)


def side_by_side(planned: Sequence[Planned], begin: Callable[[Planned], bool], jobs: int) -> Iterator[Found]:
    """Does several runs at once, each in a process with its share of the cores; yields them as they end, failed or not.

    Args:
        planned: what to do, in order.
        begin: asked before each run; False leaves it out.
        jobs: how many at once.

    Raises:
        ConfigError: if a run wants several devices for itself, or a process was killed.
    """
    if any(one.config.trainer.get("devices", 1) not in (1, "1", "auto") for one in planned):
        raise ConfigError("runs that have several devices each cannot be done side by side; leave --jobs out")
    # Not an Event: to set one waits for ever for a process that was killed. This ends also with this process itself.
    heard, line = Pipe(duplex=False)
    waiting = filter(begin, planned)
    with Pool(jobs, _prepare, max(1, cores() // jobs), heard) as pool:
        try:
            running: dict[Future[Report | None], Planned] = {}
            running |= {pool.submit(do_until_told, one): one for one in islice(waiting, jobs)}
            while running:
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield running.pop(future), future.result()
                    running |= {pool.submit(do_until_told, one): one for one in islice(waiting, 1)}
        except BrokenProcessPool:
            raise ConfigError(
                f"a process with one of {jobs} runs was killed, perhaps for want of memory; give the same command "
                "again to go on, with fewer --jobs if that was it"
            ) from None
        finally:
            line.close()


def _prepare(threads: int, line: Connection) -> None:
    """Makes a process ready for its runs: quiet, on some of the cores, and no longer there than the one that asks."""
    torch.set_num_threads(threads)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the runs' own bars would overwrite one another
    signal.signal(STOP, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(line,), daemon=True).start()


def _end_with(line: Connection) -> None:
    """Interrupts the run when the line is cut, and ends the process if that takes too long."""
    with suppress(EOFError):
        line.recv()
    _cut.set()
    os.kill(os.getpid(), STOP)
    time.sleep(GRACE)
    os._exit(1)
