"""Which trial comes next, and which one is hopeless: pure functions of the sweep file and the trials so far.

What Optuna's samplers and pruners are told is built anew each time from the trials, and a sampler's seed is a function
of the trial's number. So a sweep that was killed goes on as if it had not been.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from raincheck.errors import ConfigError
from raincheck.sweeping.definition import Metric, Sweep
from raincheck.sweeping.space import Point, grid
from raincheck.sweeping.trials import State, Trial

try:
    import optuna
except ImportError:
    raise ConfigError("a sweep needs a package; pip install 'raincheck[sweep]'") from None

optuna.logging.set_verbosity(optuna.logging.ERROR)
STARTUP = 4  # trials drawn at random before the first that is computed
STATES: dict[State, optuna.trial.TrialState] = {
    "running": optuna.trial.TrialState.RUNNING,
    "finished": optuna.trial.TrialState.COMPLETE,
    "stopped": optuna.trial.TrialState.PRUNED,
    "failed": optuna.trial.TrialState.FAIL,
}


def propose(sweep: Sweep, trials: Sequence[Trial]) -> Point | None:
    """What the next trial is to be; None if there is none any more."""
    if len(trials) >= sweep.trials:
        return None
    if sweep.method == "grid":
        return next(islice(grid(sweep.parameters), len(trials), None))
    seed = int(np.random.SeedSequence((0, len(trials))).generate_state(1)[0])
    if sweep.method == "random":
        study = _study(sweep, [], optuna.samplers.RandomSampler(seed))
    else:
        # As in W&B a Gaussian process. Optuna's default, ten trials at random first, is more than many sweeps have.
        sampler = optuna.samplers.GPSampler(seed=seed, n_startup_trials=STARTUP, warn_independent_sampling=False)
        study = _study(sweep, imputed(trials, sweep.metric), sampler)
    return dict(study.ask(_distributions(sweep)).params)


def imputed(trials: Sequence[Trial], metric: Metric) -> Sequence[Trial]:
    """The trials, as if those that failed or were stopped had come to the worst value of all that finished.

    As W&B's `impute: worst`, its default: a search that forgot them would go there again.
    """
    known = [trial.value for trial in trials if trial.state == "finished" and trial.value is not None]
    if not known:
        return trials
    worst = min(known) if metric.maximize else max(known)
    over = ("stopped", "failed")
    return [replace(trial, state="finished", value=worst) if trial.state in over else trial for trial in trials]


def hopeless(sweep: Sweep, trials: Sequence[Trial], trial: Trial) -> bool:
    """Whether a trial should be stopped at the border where it stands, by asynchronous successive halving.

    Of `factor` trials that came to a border one goes on. Notes in the trial which comparisons it was in.

    Args:
        sweep: the sweep file's content.
        trials: all, `trial` among them.
        trial: its newest score is compared.
    """
    if sweep.stopping is None or not trial.scores:
        return False
    study = _study(sweep, trials, optuna.samplers.RandomSampler(0))
    stopped = bool(study.pruner.prune(study, study.get_trials(deepcopy=False)[trial.number]))
    trial.notes = dict(study.get_trials(deepcopy=False)[trial.number].system_attrs)
    return stopped


def _study(sweep: Sweep, trials: Sequence[Trial], sampler: optuna.samplers.BaseSampler) -> optuna.Study:
    pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
    if sweep.stopping is not None:
        pruner = optuna.pruners.SuccessiveHalvingPruner(
            min_resource=sweep.stopping.first, reduction_factor=sweep.stopping.factor
        )
    direction = optuna.study.StudyDirection.MAXIMIZE if sweep.metric.maximize else optuna.study.StudyDirection.MINIMIZE
    study = optuna.create_study(direction=direction, sampler=sampler, pruner=pruner)
    distributions = _distributions(sweep)
    for trial in trials:
        study.add_trial(
            optuna.trial.create_trial(
                state=STATES[trial.state],
                value=trial.value if trial.state in ("finished", "stopped") else None,
                params=trial.point,
                distributions=distributions,
                intermediate_values=trial.scores,
                system_attrs=trial.notes,
            )
        )
    return study


def _distributions(sweep: Sweep) -> dict[str, optuna.distributions.BaseDistribution]:
    return {
        parameter.name: optuna.distributions.FloatDistribution(0.0, 1.0)
        if parameter.quantile is not None
        else optuna.distributions.CategoricalDistribution(range(len(parameter.options)))
        for parameter in sweep.parameters
        if parameter.free
    }
