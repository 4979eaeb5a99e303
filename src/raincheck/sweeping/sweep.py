"""`raincheck sweep`: the trials of a W&B sweep file, each an ordinary run."""

import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from raincheck.errors import ConfigError
from raincheck.files import locked, refuse_others, remove_partial, write_text
from raincheck.sober import notices
from raincheck.sweeping.command import RunCommand, run_command, run_id, words
from raincheck.sweeping.launchers import LAUNCHERS, Launcher
from raincheck.sweeping.legs import Leg
from raincheck.sweeping.scores import history, left, names
from raincheck.sweeping.search import hopeless, propose
from raincheck.sweeping.space import Point, arguments, values
from raincheck.sweeping.table import as_csv, as_table, best, chosen
from raincheck.sweeping.trials import State, Trial, Trials
from raincheck.sweeping.wandb_file import Sweep, read_sweep

STATE = "sweep.json"


def sweep(file: Path, out: Path, launcher: str = "local", trust: bool = False, retry: bool = False) -> Trial:
    """Runs the trials of a sweep file that are not finished yet, and writes trials.csv and best.yaml.

    Each trial is an ordinary run in `out/<id>`, id being the hash of its resolved configuration; what it prints is in
    `out/<id>.log`. An interrupted sweep goes on with the same command, to the same trials. A trial that fails is
    recorded and not tried again unless that is asked for.

    Args:
        file: a W&B sweep file; see `raincheck.sweeping.wandb_file.read_sweep`.
        out: folder for all runs of the sweep.
        launcher: `local`, or `ray`.
        trust: allow classes of any package, if the file's command says `--trust`.
        retry: run trials again that failed.

    Returns:
        The best trial.

    Raises:
        ConfigError: if something in the file is wrong, or the folder's sweep is another one, or runs report no such
            metric, or all trials fail.
        OutputError: if the folder cannot be used.
    """
    with notices():
        content = read_sweep(file)
    with locked(out):
        conductor = Conductor(content, file, out.resolve(), trust)
        conductor.check()
        if retry:
            conductor.retry()
        with LAUNCHERS[launcher]() as launched:
            conductor.conduct(launched)
        return conductor.conclude()


class Conductor:
    """A sweep in its folder.

    Args:
        sweep: the file's content.
        file: the file.
        out: the folder, which is locked.
        trust: allow classes of any package, if the file's command says so.

    Raises:
        ConfigError: if the folder's sweep is another one.
        OutputError: if the folder holds something else.
    """

    def __init__(self, sweep: Sweep, file: Path, out: Path, trust: bool) -> None:
        if not (out / STATE).exists():
            refuse_others(out, "sweep")
        self.sweep, self.file, self.out, self.trust = sweep, file, out, trust
        self.trials = Trials.read(out / STATE, sweep.decisive)
        self.waiting = list(self.trials.of("running"))
        self.flying: dict[int, float] = {}  # by trial, when its leg began
        self.console = Console()
        columns = TextColumn("trials"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
        self.bar = Progress(*columns, console=self.console)

    def check(self) -> None:
        """Looks at what the first trial is, or would be, before anything is written.

        Raises:
            ConfigError: if it is no `raincheck run`, its configuration is wrong, or it is not what it was.
        """
        remove_partial(self.out)
        first = self.trials.all[0] if self.trials.all else None
        point = first.point if first else propose(self.sweep, [])
        try:
            now = run_id(self.command(0, point or {}).config(self.trust))
        except ConfigError as error:
            raise ConfigError(f"{self.file}: {error}") from None
        finally:
            if not (self.out / STATE).exists():
                self.json_file(0).unlink(missing_ok=True)
        if first and first.id != now:
            raise ConfigError(f"{self.out} was begun with other configuration files; choose another --out")

    def retry(self) -> None:
        """Lets failed trials run again, from their last checkpoints."""
        for trial in self.trials.of("failed"):
            if trial.id:  # else it has no configuration, and never will
                trial.state, trial.error = "running", None
                self.waiting.append(trial)

    def conduct(self, launcher: Launcher) -> None:
        """Runs trials until there are none any more, or the target is reached."""
        self.trials.write()
        task = self.bar.add_task("trials", total=self.sweep.trials)
        with self.bar:
            while True:
                while len(self.flying) < launcher.room and (trial := self.ready()):
                    self.start(trial, launcher)
                self.bar.update(task, completed=len(self.trials.all) - len(self.trials.of("running")))
                if not self.flying:
                    return
                number, error = launcher.next()
                trial = self.trials.all[number]
                trial.seconds += time.perf_counter() - self.flying.pop(number)
                self.settle(trial, error)

    def ready(self) -> Trial | None:
        """A trial to run now: one that was interrupted or came to a border, else a new one."""
        while True:
            flying = {self.trials.all[number].id for number in self.flying}
            for trial in self.waiting:
                if trial.id not in flying:
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
        """Records a new trial; one without a configuration has failed already."""
        number = len(self.trials.all)
        trial = Trial(number, "", point, values(self.sweep.parameters, point))
        self.trials.all.append(trial)
        try:
            trial.id = run_id(self.command(number, point).config(self.trust))
        except ConfigError as error:
            self.end(trial, "failed", error=str(error))
            return
        self.waiting.append(trial)
        self.trials.write()

    def command(self, number: int, point: Point) -> RunCommand:
        """The `raincheck run` of a trial."""
        given = arguments(self.sweep.parameters, point)
        return run_command(words(self.sweep.command, self.sweep.program, given, self.json_file(number)))

    def json_file(self, number: int) -> Path:
        """What `${args_json_file}` stands for."""
        return self.out / f"arguments-{number}.json"

    def start(self, trial: Trial, launcher: Launcher) -> None:
        """Runs a trial up to the next border, unless its run is known to be finished, or to fail."""
        folder, twin = self.out / trial.id, self.trials.twin(trial)
        if twin is not None and twin.state == "failed":
            self.end(trial, "failed", error=twin.error)
            return
        if left(folder)[1]:
            self.settle(trial, None)
            return
        command = self.command(trial.number, trial.point)
        until = self.sweep.stopping.next(trial.learned) if self.sweep.stopping else None
        launcher.start(Leg(trial.number, command.line, command.environment, until, folder, Path.cwd()))
        self.flying[trial.number] = time.perf_counter()

    def settle(self, trial: Trial, error: str | None) -> None:
        """Records what a leg came to; a trial that is to go on waits.

        Raises:
            ConfigError: if no run has reported the metric yet, and this one never will.
        """
        report, finished = left(self.out / trial.id)
        if error is not None or report is None:
            self.end(trial, "failed", error=error or "the run left no report")
            return
        if self.trials.unscored and self.sweep.metric.name not in (known := names(report, finished)):
            raise ConfigError(
                f"{self.file}: the first run reports no {self.sweep.metric.name}; correct the metric, which can be "
                f"{', '.join(known)}, and give the same command again"
            )
        logged, trial.learned = history(report, self.sweep.metric.name)
        value = logged.get(trial.learned)
        if finished and value is None:
            self.end(trial, "failed", error=f"the run reports no {self.sweep.metric.name}")
        elif finished:
            self.end(trial, "finished", value)
        else:
            if value is not None and (stopping := self.sweep.stopping) is not None:
                trial.scores[trial.learned] = value if stopping.strict else self.sweep.metric.best(logged.values())
            if hopeless(self.sweep, self.trials.all, trial):
                self.end(trial, "stopped", value)
            else:
                self.waiting.insert(0, trial)
                self.trials.write()

    def end(self, trial: Trial, state: State, value: float | None = None, error: str | None = None) -> None:
        """Records that a trial is over."""
        trial.state, trial.value, trial.error = state, value, error
        self.trials.write()
        found = error or f"{self.sweep.metric.name} {value}"
        line = f"trial {trial.number}, {trial.id}, {chosen(self.sweep, trial)}: {state}, {found}"
        self.console.print(line, soft_wrap=True, markup=False, highlight=False)

    def conclude(self) -> Trial:
        """Writes and prints what was found.

        Raises:
            ConfigError: if all trials failed.
        """
        trials = self.trials.all
        write_text(self.out / "trials.csv", as_csv(self.sweep, trials))
        winner = best(trials, self.sweep.metric)
        if winner is None:
            raise ConfigError(
                f"all {len(trials)} trials of {self.file} failed, the first with: {trials[0].error}; "
                f"see {self.out / f'{trials[0].id}.log'}"
            )
        write_text(self.out / "best.yaml", (self.out / winner.id / "config.yaml").read_text(encoding="utf-8"))
        self.console.print(as_table(self.sweep, trials, self.file.stem))
        self.console.print(f"best: trial {winner.number}, {self.out / winner.id}", soft_wrap=True, markup=False)
        for name in ("trials.csv", "best.yaml"):
            self.console.print(f"written: {self.out / name}", soft_wrap=True, markup=False)
        return winner
