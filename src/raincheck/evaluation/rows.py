"""Which runs may stand in one table, and which of them are one row of it."""

from collections.abc import Sequence
from typing import TypeVar

from raincheck.errors import InputError
from raincheck.evaluation.comparable import other_data, other_method, other_terms
from raincheck.evaluation.results import Result

AnyResult = TypeVar("AnyResult", bound=Result)


def comparable_groups(results: Sequence[AnyResult]) -> list[list[AnyResult]]:
    """Splits runs into groups whose scores can be compared: those of the same tasks and data."""
    groups: list[list[AnyResult]] = []
    for result in results:
        for group in groups:
            if not why_incomparable(result, group[0]):
                group.append(result)
                break
        else:
            groups.append([result])
    return groups


def with_baseline(results: Sequence[AnyResult], against: str | None) -> list[tuple[list[AnyResult], str | None]]:
    """The comparable groups, each with the row to compare its others with: `against` if that is in it, else None.

    Raises:
        InputError: if it is in no group.
    """
    check_baseline(against, results)
    return [(group, if_there(against, group)) for group in comparable_groups(results)]


def check_baseline(against: str | None, results: Sequence[Result]) -> None:
    """Refuses a row to compare with that is not there; names are quoted, since they may hold commas.

    Raises:
        InputError: naming the rows that are.
    """
    if against is not None and if_there(against, results) is None:
        known = ", ".join(repr(name) for name in dict.fromkeys(result.name for result in results))
        raise InputError(f"there is no {against!r} to compare with; choose one of {known}")


def if_there(name: str | None, results: Sequence[Result]) -> str | None:
    """The name, where it is that of a row; else None."""
    return name if any(result.name == name for result in results) else None


def rows_of(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Runs by row.

    Raises:
        InputError: if a row has two runs of one seed and order, or runs of other settings than its first.
    """
    rows: dict[str, list[Result]] = {}
    for result in results:
        row = rows.setdefault(result.name, [])
        if any(result.key == other.key for other in row):
            order = ", ".join(result.tasks)
            raise InputError(f"{result.name} is there twice with seed {result.seed} and order {order}; leave one out")
        if row and not same_row(result, row[0]):
            terms = other_terms(result.setting, row[0].setting) or ["the method's own settings"]
            raise InputError(f"runs of {result.name} differ in {terms[0]}; give them different names")
        row.append(result)
    return rows


def same_row(one: Result, other: Result) -> bool:
    """Whether two runs may be averaged: one method with one setting."""
    return not (other_terms(one.setting, other.setting) or other_method(one.setting, other.setting))


def scored_in(results: Sequence[AnyResult], metric: str) -> list[AnyResult]:
    """Those that have a metric; reports of older versions and other catalogues may lack it.

    Raises:
        InputError: if there are none.
    """
    if not results:
        raise InputError("there are no runs to compare; give at least one finished run")
    if found := [result for result in results if metric in result.matrices]:
        return found
    known = dict.fromkeys(name for result in results for name in result.matrices)
    raise InputError(
        f"no report of {', '.join(dict.fromkeys(result.name for result in results))} has a metric {metric!r}; choose "
        f"one of {', '.join(known)}"
    )


def check_comparable(results: Sequence[Result]) -> None:
    """Refuses runs that cannot stand in one table.

    Raises:
        InputError: if they were scored on different data.
    """
    for result in results:
        if why := why_incomparable(result, results[0]):
            raise InputError(f"{result.name} cannot be compared with {results[0].name}: {why}; report them apart")


def why_incomparable(one: Result, other: Result) -> str | None:
    """Why the scores of two runs are about different things; None if they can be compared."""
    if set(one.tasks) != set(other.tasks):
        return f"its tasks are {', '.join(one.tasks)}, not {', '.join(other.tasks)}"
    if tasks := other_data(one.setting, other.setting):
        return f"the data of {', '.join(tasks)} are not the same"
    return None
