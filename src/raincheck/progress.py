"""The progress bar of commands that go through a video."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def frame_counter(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error with frames per second; yields `progress(frames_done, frames_in_all or None)`."""
    speed = TextColumn("{task.speed:.1f} frames/s")
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
