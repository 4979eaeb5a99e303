"""When which trial of a sweep runs, from border to border, and what is recorded of it."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from raincheck.errors import ConfigError
from raincheck.sweeping.command import run_id, trial_command
from raincheck.sweeping.definition import Sweep
from raincheck.sweeping.launchers import Launcher
from raincheck.sweeping.legs import Leg
from raincheck.sweeping.scores import history, left, names
from raincheck.sweeping.search import hopeless, propose
from raincheck.sweeping.space import Point, values
from raincheck.sweeping.table import best, chosen
from raincheck.sweeping.trials import State, Trial, Trials


class Scheduler:
    """Runs the trials of a sweep in its folder.

    Args:
        sweep: the file's content.
        file: the file, for messages.
        out: the folder, which is locked.
        trust: allow classes of any package, if the file's command says so.
        trials: those so far; the ones that were interrupted run first.
        console: where ends of trials are told.
    """

    def __init__(self, sweep: Sweep, file: Path, out: Path, trust: bool, trials: Trials, console: Console) -> None:
        self.sweep, self.file, self.out, self.trust = sweep, file, out, trust
        self.trials, self.console = trials, console
        self.waiting = list(trials.of("running"))
        self.running: dict[int, float] = {}  # by trial, when its leg began
        columns = TextColumn("trials"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
        self.bar = Progress(*columns, console=console)

    def retry(self) -> None:
        """Lets failed trials run again, from their last checkpoints."""
        for trial in self.trials.of("failed"):
            if trial.id:  # else it has no configuration, and never will
                trial.state, trial.error = "running", None
                self.waiting.append(trial)

    def run(self, launcher: Launcher) -> None:
        """Runs trials until there are none any more, or the target is reached.

        Raises:
            ConfigError: if runs report no such metric.
        """
        self.trials.write()
        task = self.bar.add_task("trials", total=self.sweep.trials)
        with self.bar:
            while True:
                while len(self.running) < launcher.room and (trial := self.ready()):
                    self.start(trial, launcher)
                self.bar.update(task, completed=len(self.trials.all) - len(self.trials.of("running")))
                if not self.running:
                    return
                number, error = launcher.next()
                trial = self.trials.all[number]
                trial.seconds += time.perf_counter() - self.running.pop(number)
                self.settle(trial, error)

    def ready(self) -> Trial | None:
        """A trial to run now: one that was interrupted or came to a border, else a new one."""
        while True:
            running = {self.trials.all[number].id for number in self.running}
            for trial in self.waiting:
                if trial.id not in running:
                    self.waiting.remove(trial)
                    return trial
            if self.waiting or self.reached():
                return None
            point = propose(self.sweep, self.trials.all)
            if point is None:
                return None
            self.add(point)

    def reached(self) -> bool:
        """Whether a finished trial is as good as the target."""
        winner = best(self.trials.all, self.sweep.metric)
        return winner is not None and winner.value is not None and self.sweep.metric.reached(winner.value)

    def add(self, point: Point) -> None:
        """Records a new trial; one without a configuration has failed already.

        Raises:
            ConfigError: if the configuration files are no longer those of the first trial.
        """
        self.check_files()
        number = len(self.trials.all)
        trial = Trial(number, "", point, values(self.sweep.parameters, point))
        self.trials.all.append(trial)
        try:
            trial.id = run_id(trial_command(self.sweep, point, number, self.out).config(self.trust))
        except ConfigError as error:
            self.end(trial, "failed", error=str(error))
            return
        self.waiting.append(trial)
        self.trials.write()
        twin = self.trials.twin(trial)
        if twin and (unsaid := [name for name, value in trial.values.items() if twin.values[name] != value]):
            self.tell(
                f"trial {number} is the same run as trial {twin.number}, so its result is the same, although they have "
                f"different values of {', '.join(unsaid)}: the values change nothing, or the sweep's command lacks "
                "${args}, which passes them on"
            )

    def check_files(self) -> None:
        """Compares the configuration of the first trial with what it was.

        Raises:
            ConfigError: if it is another, or cannot be read any more.
        """
        first = self.trials.all[0] if self.trials.all else None
        if first and first.id != run_id(trial_command(self.sweep, first.point, 0, self.out).config(self.trust)):
            raise ConfigError(
                f"the configuration files of {self.file} were edited after its first trial, so trials could not be "
                "compared; put them back and give the same command again, or choose another --out"
            )

    def start(self, trial: Trial, launcher: Launcher) -> None:
        """Runs a trial up to the next border, unless its run is known to be finished, or to fail."""
        folder, twin = self.out / trial.id, self.trials.twin(trial)
        if twin is not None and twin.state == "failed":
            self.end(trial, "failed", error=twin.error)
            return
        if left(folder)[1]:
            self.settle(trial, None)
            return
        command = trial_command(self.sweep, trial.point, trial.number, self.out)
        until = self.sweep.stopping.next(trial.learned) if self.sweep.stopping else None
        launcher.start(Leg(trial.number, command.line, command.environment, until, folder, Path.cwd()))
        self.running[trial.number] = time.perf_counter()

    def settle(self, trial: Trial, error: str | None) -> None:
        """Records what a leg came to; a trial that is to go on waits.

        Raises:
            ConfigError: if no run has reported the metric yet, and this one never will.
        """
        report, finished = left(self.out / trial.id)
        if error is not None or report is None:
            self.end(trial, "failed", error=error or "the run left no report")
            return
        self.check_metric(names(report, finished))
        scores, trial.learned = history(report, self.sweep.metric.name)
        value = scores.get(trial.learned)
        if not finished:
            self.compare(trial, scores)
        elif value is None:
            self.end(trial, "failed", error=f"the run reports no {self.sweep.metric.name}")
        else:
            self.end(trial, "finished", value)

    def check_metric(self, known: Sequence[str]) -> None:
        """Raises ConfigError if no run has reported the metric yet, and one that can report `known` never will."""
        if self.trials.unscored and self.sweep.metric.name not in known:
            raise ConfigError(
                f"{self.file}: the first run reports no {self.sweep.metric.name}; correct the metric, which can be "
                f"{', '.join(known)}, and give the same command again"
            )

    def compare(self, trial: Trial, scores: dict[int, float]) -> None:
        """Stops a trial at its border, or lets it wait to go on.

        Args:
            trial: at the border after `trial.learned` tasks.
            scores: of the metric so far, by the number of tasks learned.
        """
        value = scores.get(trial.learned)
        if value is not None and (stopping := self.sweep.stopping) is not None:
            trial.scores[trial.learned] = value if stopping.strict else self.sweep.metric.best(scores.values())
        if hopeless(self.sweep, self.trials.all, trial):
            self.end(trial, "stopped", value)
        else:
            self.waiting.insert(0, trial)
            self.trials.write()

    def end(self, trial: Trial, state: State, value: float | None = None, error: str | None = None) -> None:
        """Records that a trial is over."""
        trial.state, trial.value, trial.error = state, value, error
        self.trials.write()
        about = ", ".join(filter(None, [trial.id and f"run {trial.id}", chosen(self.sweep, trial)]))
        after = f" after {trial.learned} tasks" if state == "stopped" else ""
        found = error or f"{self.sweep.metric.name} is {value}"
        self.tell(f"trial {trial.number} ({about}) {state}{after}: {found}")

    def tell(self, line: str) -> None:
        """Prints a line above the bar."""
        self.console.print(line, soft_wrap=True, markup=False, highlight=False)
