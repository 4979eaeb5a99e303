"""A ranking as texts in rows and columns, for whatever shows it: the terminal, Markdown, LaTeX, the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from raincheck.evaluation.costs import COSTS, Cost
from raincheck.evaluation.ranking import Ranking, Row
from raincheck.evaluation.scores import Column
from raincheck.report import numbers

COMPARED = ("average", "forgetting")  # of which people are shown differences; CSV has all
PRICE_OF_MEMORY = ("gap to joint", "gap to individual", "lost plasticity")  # scores that stand beside the costs


@dataclass(frozen=True)
class Part:
    """A table for people: what it is, one heading a column, one list of texts a row."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def parts(ranking: Ranking, priced: bool = True) -> list[Part]:
    """Scores, costs and differences, each a table, because no page is as wide as all; without costs unless `priced`."""
    tables = [scores(ranking), costs(ranking, priced), *([differences(ranking)] if ranking.against else [])]
    return [table for table in tables if len(table.headings) > 1]


def scores(ranking: Ranking) -> Part:
    """Means over runs with their intervals."""
    columns = [column for column in ranking.columns if column.name not in PRICE_OF_MEMORY]
    return Part(
        f"{named(ranking.metric)}, {runs(ranking)}",
        [ranking.kind, *(column.name for column in columns)],
        [[row.name, *estimates(row, ranking, columns)] for row in ranking.rows],
    )


def costs(ranking: Ranking, priced: bool = True) -> Part:
    """What each row cost: in score, against bounds, and, where `priced`, in means."""
    columns = [column for column in ranking.columns if column.name in PRICE_OF_MEMORY]
    prices = costs_of(ranking) if priced else []
    named = [f"gaps in {ranking.metric}"] * bool(columns) + ["costs"] * bool(prices)
    return Part(
        ", and ".join(named),
        [ranking.kind, *(column.name for column in columns), *(cost.label for cost in prices)],
        [
            [
                row.name,
                *estimates(row, ranking, columns),
                *(numbers.cost(cost.name, row.costs[cost.name].mean) for cost in prices),
            ]
            for row in ranking.rows
        ],
    )


def costs_of(ranking: Ranking) -> list[Cost]:
    """Costs for people, those that any row has."""
    rows = ranking.rows
    return [
        cost for cost in COSTS.values() if cost.label and any(row.costs[cost.name].mean is not None for row in rows)
    ]


def differences(ranking: Ranking) -> Part:
    """Paired differences from one row."""
    return Part(
        f"differences in {ranking.metric} from {ranking.against} over the same seeds and orders, ± half of the 95 % "
        "interval of the paired t-test; p for the average, the t-test's by Holm for all rows together",
        [ranking.kind, *COMPARED, "pairs", "p, t-test", "p, Wilcoxon"],
        [[row.name, *_tests(row, ranking)] for row in ranking.rows if row.differences],
    )


def named(metric: str) -> str:
    """A metric with its unit."""
    return f"{metric} in {numbers.unit(metric)}" if numbers.unit(metric) else metric


def runs(ranking: Ranking) -> str:
    """Over what the numbers are means."""
    if max(row.runs for row in ranking.rows) == 1:
        return "one run each"
    counts = [numbers.several(ranking.seeds, "seed")]
    if ranking.orders:  # bounds have none
        counts.append(numbers.several(len(ranking.orders), "order"))
    return f"mean ± half of the 95 % t-interval over {' and '.join(counts)}"


def notes(ranking: Ranking) -> list[str]:
    """What a reader must know before comparing."""
    return [*ranking.notes, *(f"{row.name}: {note}" for row in ranking.rows for note in row.notes)]


def estimates(row: Row, ranking: Ranking, columns: Sequence[Column]) -> list[str]:
    """A row's scores; where all its runs failed, that they did."""
    if not row.runs:
        return ["failed"] * len(columns)
    return [numbers.estimate(row.scores[c.name], ranking.metric, c.signed) for c in columns]


def _tests(row: Row, ranking: Ranking) -> list[str]:
    effects = [numbers.estimate(row.differences[name].effect, ranking.metric, signed=True) for name in COMPARED]
    first = row.differences[COMPARED[0]]
    return [*effects, str(first.pairs), numbers.chance(first.holm), numbers.chance(first.wilcoxon)]
