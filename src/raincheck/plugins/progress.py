"""A progress bar for every task."""

from typing import Any

from avalanche.core import SupervisedPlugin
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from raincheck.processes import is_first


class ProgressBar(SupervisedPlugin):
    """Shows task, steps, loss and time left; where that is no terminal, a line at each task's end.

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
        steps = len(strategy.dataloader) * strategy.train_epochs
        self._bar.add_task(f"{self.method}: {name}", total=steps, loss=float("nan"))
        self._bar.start()

    def after_training_iteration(self, strategy: Any, **kwargs: Any) -> None:
        """Moves it."""
        if self._bar:
            every = strategy.clock.train_exp_iterations % 10 == 0  # reading the loss waits for the device
            fields = {"loss": float(strategy.loss.detach())} if every else {}
            self._bar.update(self._bar.task_ids[0], advance=1, **fields)  # type: ignore[arg-type]

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Gives the terminal back, also after an error."""
        if self._bar:
            self._bar.stop()
            self._bar = None
