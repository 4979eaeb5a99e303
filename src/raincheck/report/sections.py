"""What the page shows of each metric: its ranking, paired differences, matrices and curves."""

from collections.abc import Sequence
from dataclasses import dataclass

from raincheck.evaluation.costs import Cost
from raincheck.evaluation.failed import Failed, with_failed
from raincheck.evaluation.ranking import Ranking, Row, ranking
from raincheck.evaluation.rows import scored_in
from raincheck.evaluation.scores import COLUMNS, Column
from raincheck.evaluation.statistics import LEVEL, Estimate
from raincheck.report import curves, numbers, prices, tables
from raincheck.report.heatmap import Heatmap, heatmap, ranges
from raincheck.report.runs import Run
from raincheck.report.series import Series, by_order


@dataclass(frozen=True)
class Value:
    """A number in a table, and whether it is the best of its column."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class Line:
    """One row of the ranking."""

    name: str
    colour: int
    is_bound: bool
    runs: int
    bar: prices.Bar | None
    values: list[Value]
    costs: list[str]


@dataclass(frozen=True)
class Test:
    """A paired difference from one row: texts, and `better`, `worse`, `undecided`, or nothing where none is known."""

    name: str
    effects: list[str]
    pairs: int
    chances: list[str]
    verdict: str


@dataclass(frozen=True)
class View:
    """All that was learned in one order of tasks."""

    tasks: tuple[str, ...]
    series: list[Series]
    heatmaps: list[Heatmap]
    charts: list[curves.Chart]


@dataclass(frozen=True)
class Section:
    """All that the page shows of one metric."""

    name: str
    unit: str
    higher_is_better: bool
    ranking: Ranking
    means: str
    columns: list[str]
    costs: list[str]
    lines: list[Line]
    tests: dict[str, list[Test]]
    views: list[View]
    plots: list[prices.Plot]
    notes: list[str]


def section(
    runs: Sequence[Run], metric: str, names: Sequence[str], against: str | None, failed: Sequence[Failed]
) -> Section:
    """Everything about one metric.

    Args:
        runs: whose scores can be compared; those without the metric are left out, which a note says.
        metric: its name.
        names: of all rows, in the order that decides their colours.
        against: the row to compare with first; by default, and where it lacks the metric, the best of the methods.
        failed: runs without a result, on the same data.
    """
    known = ranking(runs, metric, against)
    ranked = with_failed(known, failed)
    shown = tables.costs_of(ranked)
    return Section(
        metric,
        numbers.unit(metric),
        ranked.higher_is_better,
        ranked,
        tables.runs(ranked),
        [column.name for column in ranked.columns],
        [cost.label for cost in shown],
        [
            _line(row, ranked, names.index(row.name), bar, shown)
            for row, bar in zip(ranked.rows, prices.bars(ranked), strict=True)
        ],
        {row.name: tests(ranking(runs, metric, row.name)) for row in known.rows} if len(known.rows) > 1 else {},
        views(scored_in(runs, metric), metric, names),
        prices.plots(ranked),
        tables.notes(ranked),
    )


def views(runs: Sequence[Run], metric: str, names: Sequence[str]) -> list[View]:
    """Matrices and curves, order by order."""
    scale = ranges([run.matrices[metric] for run in runs])
    return [
        View(
            order,
            series,
            [heatmap(one.label, one.mean, metric, scale) for one in series],
            curves.charts(series, metric),
        )
        for order, series in by_order(runs, metric, names).items()
    ]


def tests(ranked: Ranking) -> list[Test]:
    """All rows compared with one."""
    found = []
    for row in ranked.rows:
        if row.differences:
            effects = [_effect(row.differences[name].effect, ranked.metric) for name in tables.COMPARED]
            first = row.differences[tables.COMPARED[0]]
            chances = [numbers.chance(first.holm), numbers.chance(first.wilcoxon)]
            found.append(Test(row.name, effects, first.pairs, chances, verdict(row, ranked)))
    return found


def verdict(row: Row, ranked: Ranking) -> str:
    """Whether the row's average is better or worse, as far as the corrected t-test can tell."""
    difference = row.differences[tables.COMPARED[0]]
    if difference.holm is None or difference.effect.mean is None:
        return ""
    if difference.holm >= LEVEL:
        return "undecided"
    return "better" if ranked.better(COLUMNS[tables.COMPARED[0]], difference.effect.mean) else "worse"


def _effect(effect: Estimate, metric: str) -> str:
    """`+0.50 [+0.21, +0.79]`."""
    mean = numbers.change(effect.mean, metric)
    if effect.interval is None:
        return mean
    low, high = (numbers.change(end, metric) for end in effect.interval)
    return f"{mean} [{low}, {high}]"


def _line(row: Row, ranked: Ranking, colour: int, bar: prices.Bar | None, shown: Sequence[Cost]) -> Line:
    best = [_is_best(row, ranked, column) for column in ranked.columns]
    values = list(map(Value, tables.estimates(row, ranked, ranked.columns), best))
    costs = [numbers.cost(cost.name, row.costs[cost.name].mean) for cost in shown]
    return Line(row.name, colour, row.is_bound, row.runs, bar, values, costs)


def _is_best(row: Row, ranked: Ranking, column: Column) -> bool:
    """Whether no method has a better mean, where there are different ones to choose from."""
    rivals = [r.scores[column.name].mean for r in ranked.rows if not r.is_bound]
    known, own = [mean for mean in rivals if mean is not None], row.scores[column.name].mean
    if row.is_bound or own is None or len(set(known)) < 2:
        return False
    return not any(ranked.better(column, mean - own) for mean in known if mean != own)
