"""Every score of a run by name, those included that need other runs to be measured by."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from raincheck.evaluation.comparable import other_terms
from raincheck.evaluation.matrix import Matrix, Score
from raincheck.evaluation.results import Result
from raincheck.evaluation.statistics import estimate
from raincheck.evaluation.transfer import average, bwt, forgetting, fwt, gap, learned, lost_plasticity

Sense = Literal["higher", "lower", "metric"]  # what is better; `metric`: what is better of the metric
Values = dict[str, dict[Hashable, Score]]  # by name of the score, by seed and order


@dataclass(frozen=True)
class Column:
    """A score of a run: how it is called, what is better, and whether it is a difference, written with its sign."""

    name: str
    sense: Sense
    signed: bool = True


COLUMNS = {
    column.name: column
    for column in (
        Column("average", "metric", signed=False),
        Column("forgetting", "lower"),
        Column("BWT", "higher"),
        Column("FWT", "higher"),
        Column("learned", "metric", signed=False),
        Column("gap to joint", "lower"),
        Column("gap to individual", "lower"),
        Column("lost plasticity", "lower"),
    )
}
HEADLINE = "average"  # what rows are ranked by


class Bounds:
    """Joint training and experts, and which of them belong to a run: those of its seed, data, network and budget.

    One of its order is preferred where there is one, though a bound depends on the order by chance only.

    Args:
        results: bounds among others.
    """

    def __init__(self, results: Sequence[Result]) -> None:
        self.results = [result for result in results if result.is_bound]

    def gap(self, run: Result, learn: str, metric: str, measure: Callable[[Matrix, Matrix], Score] = gap) -> Score:
        """How far a run stays behind a bound, by `measure`; None without such a bound, and of the bound itself."""
        if run.learn == learn:
            return None
        fitting = [bound for bound in self._of_seed(run, learn, metric) if not other_terms(bound.setting, run.setting)]
        fitting = [bound for bound in fitting if bound.tasks == run.tasks] or fitting
        return estimate([measure(run.matrices[metric], bound.matrices[metric]) for bound in fitting]).mean

    def why_none(self, runs: Sequence[Result], learn: str, metric: str) -> str | None:
        """Why a row has no gap to a bound although there is such a bound; None if it has one, or there is none."""
        if runs[0].is_bound or not any(bound.learn == learn for bound in self.results):
            return None
        if seeds := sorted({str(run.seed) for run in runs if not self._of_seed(run, learn, metric)}):
            return f"no gap to {learn}, which has no run of seed {', '.join(seeds)}"
        for run in runs:
            terms = [other_terms(bound.setting, run.setting) for bound in self._of_seed(run, learn, metric)]
            if all(terms):
                return f"no gap to {learn}, which differs in {', '.join(terms[0])}"
        return None

    def _of_seed(self, run: Result, learn: str, metric: str) -> list[Result]:
        return [
            bound
            for bound in self.results
            if bound.learn == learn and bound.seed == run.seed and metric in bound.matrices
        ]


def values_of(runs: Sequence[Result], metric: str, bounds: Bounds) -> Values:
    """Every score of every run."""
    measures: dict[str, Callable[[Result], Score]] = {
        "average": lambda run: average(run.matrices[metric]),
        "forgetting": lambda run: forgetting(run.matrices[metric]),
        "BWT": lambda run: bwt(run.matrices[metric]),
        "FWT": lambda run: fwt(run.matrices[metric]),
        "learned": lambda run: learned(run.matrices[metric]),
        "gap to joint": lambda run: bounds.gap(run, "joint", metric),
        "gap to individual": lambda run: bounds.gap(run, "individual", metric),
        "lost plasticity": lambda run: bounds.gap(run, "individual", metric, lost_plasticity),
    }
    return {name: {run.key: measures[name](run) for run in runs} for name in COLUMNS}
