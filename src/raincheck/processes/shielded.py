"""Processes that are started anew, and leave Ctrl-C to the one that started them."""

import signal
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess


class Shielded(SpawnProcess):
    """A process that leaves Ctrl-C to the main process from its birth on: it takes seconds to import what it needs."""

    def start(self) -> None:
        """Starts it with SIGINT blocked, which it inherits; one that comes meanwhile reaches this process later."""
        resource_tracker.ensure_running()  # which would lift the block
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Afresh(SpawnContext):
    """Starts processes anew: one that is forked beside the progress bar's thread may hang."""

    Process = Shielded
