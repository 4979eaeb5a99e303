"""`raincheck sweep`: the trials of a W&B sweep file, each an ordinary run."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from raincheck.errors import ConfigError
from raincheck.files import locked, refuse_others, remove_partial, write_text
from raincheck.notices import notices
from raincheck.sweeping.command import arguments_file, run_id, trial_command
from raincheck.sweeping.definition import Sweep
from raincheck.sweeping.launchers import LAUNCHERS
from raincheck.sweeping.scheduler import Scheduler
from raincheck.sweeping.search import propose
from raincheck.sweeping.table import as_csv, as_table, best
from raincheck.sweeping.trials import Trial, Trials
from raincheck.sweeping.wandb_file import read_sweep

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
    out = out.resolve()
    with locked(out):
        trials = begin(content, file, out, trust)
        scheduler = Scheduler(content, file, out, trust, trials, console := Console())
        if retry:
            scheduler.retry()
        with LAUNCHERS[launcher]() as launched:
            scheduler.run(launched)
        return conclude(content, file, out, trials.all, console)


def begin(sweep: Sweep, file: Path, out: Path, trust: bool) -> Trials:
    """The trials so far; looks at what the first one is, or would be, before anything is written.

    Raises:
        ConfigError: if it is no `raincheck run`, its configuration is wrong, or it is not what it was, or the folder's
            sweep is another one.
        OutputError: if the folder holds something else.
    """
    if not (out / STATE).exists():
        refuse_others(out, "sweep")
    trials = Trials.read(out / STATE, sweep.decisive)
    remove_partial(out)
    first = trials.all[0] if trials.all else None
    point = first.point if first else propose(sweep, [])
    try:
        now = run_id(trial_command(sweep, point or {}, 0, out).config(trust))
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None
    finally:
        if not (out / STATE).exists():
            arguments_file(out, 0).unlink(missing_ok=True)
    if first and first.id != now:
        raise ConfigError(f"{out} was begun with other configuration files; choose another --out")
    return trials


def conclude(sweep: Sweep, file: Path, out: Path, trials: Sequence[Trial], console: Console) -> Trial:
    """Writes and prints what was found, and returns the best trial.

    Raises:
        ConfigError: if all trials failed.
    """
    write_text(out / "trials.csv", as_csv(sweep, trials))
    winner = best(trials, sweep.metric)
    if winner is None:
        raise ConfigError(
            f"all {len(trials)} trials of {file} failed, the first with: {trials[0].error}; "
            f"see {out / f'{trials[0].id}.log'}"
        )
    write_text(out / "best.yaml", (out / winner.id / "config.yaml").read_text(encoding="utf-8"))
    console.print(as_table(sweep, trials, file.stem))
    console.print(f"best: trial {winner.number}, {out / winner.id}", soft_wrap=True, markup=False)
    for name in ("trials.csv", "best.yaml"):
        console.print(f"written: {out / name}", soft_wrap=True, markup=False)
    return winner
