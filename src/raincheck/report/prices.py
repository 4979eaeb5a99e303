"""Cost against score, and the intervals of a ranking, as the geometry of SVGs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from raincheck.evaluation.ranking import Ranking, Row
from raincheck.evaluation.scores import HEADLINE
from raincheck.report import numbers
from raincheck.report.axes import Axis, axis
from raincheck.report.curves import BOTTOM, HEIGHT, LEFT, LETTER, RIGHT, TOP, WIDTH, shortened
from raincheck.report.tables import costs_of

LINE, RADIUS = 11, 6  # height of a name's letters; a dot's room
BAR, BAR_HEIGHT = 150, 18  # of the drawing of an interval


@dataclass(frozen=True)
class Dot:
    """One row: where it is, how far its interval reaches up and down, what it says; its name, as far as it has room."""

    name: str
    colour: int
    x: float
    y: float
    reach: tuple[float, float] | None
    text: str
    label: tuple[float, str, str] | None = None


@dataclass(frozen=True)
class Plot:
    """Average score over one cost."""

    title: str
    dots: list[Dot]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]


@dataclass(frozen=True)
class Bar:
    """An interval on a scale that all rows of a ranking share."""

    dot: float
    low: float
    high: float


def plots(ranking: Ranking) -> list[Plot]:
    """One plot for each cost in which rows differ, all with the same y axis."""
    shown = [(number, row) for number, row in enumerate(ranking.rows) if row.scores[HEADLINE].mean is not None]
    y = axis([end for _, row in shown for end in _ends(row)], HEIGHT - BOTTOM, TOP)
    drawn = []
    for cost in costs_of(ranking):
        scale = numbers.SCALES[cost.unit]
        prices = {n: price / scale.size for n, row in shown if (price := row.costs[cost.name].mean) is not None}
        if len(set(prices.values())) > 1:
            x = axis([0.0, *prices.values()], LEFT, WIDTH - RIGHT)
            dots = [_dot(n, row, cost.name, prices[n], ranking.metric, x, y) for n, row in shown if n in prices]
            drawn.append(
                Plot(
                    ", ".join(filter(None, (cost.axis or cost.label, scale.name))),
                    labelled(dots),
                    x.labels(),
                    y.labels(),
                )
            )
    return drawn


def bars(ranking: Ranking) -> list[Bar | None]:
    """Of every row, its average and interval; None where there is none."""
    known = [end for row in ranking.rows if row.scores[HEADLINE].mean is not None for end in _ends(row)]
    return [_bar(row, axis(known, 6, BAR - 6)) for row in ranking.rows]


def _bar(row: Row, x: Axis) -> Bar | None:
    mean = row.scores[HEADLINE].mean
    return None if mean is None else Bar(x(mean), *map(x, _ends(row)))


def _dot(number: int, row: Row, cost: str, price: float, metric: str, x: Axis, y: Axis) -> Dot:
    average = row.scores[HEADLINE]
    text = f"{row.name}: {numbers.estimate(average, metric)}, {numbers.cost(cost, row.costs[cost].mean)}"
    low, high = _ends(row)
    return Dot(row.name, number, x(price), y(average.mean or 0.0), (y(low), y(high)) if average.half else None, text)


def labelled(dots: Sequence[Dot]) -> list[Dot]:
    """Gives every dot its name beside it, on the inner side, unless another dot or name is there."""
    taken = [(dot.x - RADIUS, dot.x + RADIUS, dot.y) for dot in dots]
    found = []
    for dot in dots:
        inward = 1 if dot.x < (LEFT + WIDTH - RIGHT) / 2 else -1
        near = dot.x + (RADIUS + 1) * inward
        name = shortened(dot.name, WIDTH - near if inward > 0 else near - LEFT)
        start, end = sorted((near, near + LETTER * len(name) * inward))
        free = all(abs(dot.y - y) >= LINE or end < left or start > right for left, right, y in taken)
        if free:
            taken.append((start, end, dot.y))
        found.append(replace(dot, label=(near, "start" if inward > 0 else "end", name) if free else None))
    return found


def _ends(row: Row) -> tuple[float, float]:
    """The interval of the row's average; the average twice where there is none."""
    average = row.scores[HEADLINE]
    return average.interval or (average.mean or 0.0, average.mean or 0.0)
