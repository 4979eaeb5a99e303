"""A progress bar for every task."""

from typing import Any

from avalanche.core import SupervisedPlugin
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from raincheck.plugins.length import planned_batches
from raincheck.processes import is_first


class ProgressBar(SupervisedPlugin):
    """Shows task, batches, loss and time left; where that is no terminal, a line at each task's end.

    Args:
        method: shown in front.
    """

    def __init__(self, method: str) -> None:
        super().__init__()
        self.method = method
        self._bar: Progress | None = None

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Opens the bar, in one process."""
        if not is_first():
            return
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),  # a task may be called anything
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]:.4f}"),
            console=Console(),
        )
        name = getattr(strategy.experience, "name", str(strategy.experience.current_experience))
        self._bar.add_task(f"{self.method}: {name}", total=None, loss=float("nan"))
        self._bar.start()

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Moves it; where a task goes on after an interruption, to where it was."""
        if self._bar:
            done = strategy.clock.train_exp_iterations
            first = not self._bar.tasks[0].completed
            due = first or done % 10 == 0  # reading the loss waits for the device
            fields: dict[str, Any] = {"loss": float(strategy.loss.detach())} if due else {}
            total = planned_batches(strategy)
            self._bar.update(self._bar.task_ids[0], total=total, completed=done + 1, **fields)

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Gives the terminal back, also after an error."""
        if self._bar:
            self._bar.stop()
            self._bar = None
