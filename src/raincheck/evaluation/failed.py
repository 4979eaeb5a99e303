"""Runs of a grid that came to no result, shown in the rankings in which their results would have been."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from raincheck.evaluation.comparable import Setting, data_of
from raincheck.evaluation.costs import COSTS
from raincheck.evaluation.ranking import Ranking, Row
from raincheck.evaluation.scores import COLUMNS
from raincheck.evaluation.statistics import Estimate

UNKNOWN = Estimate(None, None)


@dataclass(frozen=True)
class Failed:
    """A run without a result.

    Attributes:
        name: of the row that the run belongs to.
        why: one sentence that names the run's seed and order.
        data: what it learned from; see `raincheck.evaluation.comparable.data_of`.
    """

    name: str
    why: str
    data: frozenset[str]


def of_data(failed: Sequence[Failed], setting: Setting) -> list[Failed]:
    """Those on the same data as a run with this setting."""
    return [one for one in failed if one.data == data_of(setting)]


def with_failed(ranking: Ranking, failed: Sequence[Failed]) -> Ranking:
    """The ranking with a note for each failed run, and a last row without scores for each name that has no other."""
    notes: dict[str, list[str]] = {}
    for one in failed:
        notes.setdefault(one.name, []).append(one.why)
    rows = [replace(row, notes=[*row.notes, *notes.pop(row.name, [])]) for row in ranking.rows]
    empty = dict.fromkeys(COLUMNS, UNKNOWN), dict.fromkeys(COSTS, UNKNOWN)
    rows += [Row(name, False, 0, empty[0], {}, empty[1], why) for name, why in notes.items()]
    return replace(ranking, rows=rows)
