"""The progress bar of commands that go through a video."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from raincheck.errors import RaincheckError


class FrameRate(ProgressColumn):
    """Frames per second, once it is known."""

    def render(self, task: Task) -> Text:
        """The column's text."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} frames/s")


@contextmanager
def frame_counter(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error with frames per second; yields `progress(frames_done, frames_in_all or None)`.

    On a terminal it appears with the first frame; elsewhere one line is written at the end. After a mistake it goes, so
    that standard error holds one line.
    """
    described = TextColumn("{task.description}", markup=False)  # brackets in a file's name are its own
    columns = described, BarColumn(), MofNCompleteColumn(), FrameRate(), TimeRemainingColumn()
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task(name, total=None)

    def progress(done: int, total: int | None) -> None:
        if bar.console.is_terminal:
            bar.start()
        bar.update(task, completed=done, total=None if total is None else max(done, total))

    try:
        yield progress
    except (RaincheckError, OSError):
        bar.live.transient = True  # takes the bar off standard error again, where it would be a second line
        raise
    else:
        if bar.tasks[task].completed:
            bar.start()
    finally:
        if bar.live.is_started:  # or it would print an empty line
            bar.stop()
