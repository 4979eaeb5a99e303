"""Processes that end with the one that started them, which may have been killed without a word."""

import os
import threading
import time

PARENT = "RAINCHECK_PARENT"  # in the environment of processes that we started: the process that did
STARTER = "RAINCHECK_STARTER"  # in the environment of one that is to end with the process that started it


def parent() -> int:
    """The process that started this one, if that was one of ours, else 0."""
    return int(os.environ.get(PARENT, "0")) if os.environ.get("LOCAL_RANK", "0") != "0" else 0


def follow_starter() -> None:
    """Ends this process as soon as the one that started it has ended, if that has asked for it by `STARTER`."""
    if starter := os.environ.pop(STARTER, ""):
        end_with(int(starter))


def end_with(starter: int) -> None:
    """Ends this process as soon as its parent, `starter`, has ended."""

    def watch() -> None:
        while os.getppid() == starter:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
