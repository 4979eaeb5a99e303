"""Intervals and tests against scipy, tables and published examples."""

import operator
from itertools import product
from statistics import fmean

import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from raincheck.evaluation.statistics import Difference, Estimate, corrected, estimate, holm, paired

samples = st.lists(st.floats(-50, 50), min_size=3, max_size=12, unique=True).filter(lambda x: max(x) - min(x) > 1e-3)


def test_estimate_of_a_textbook_sample() -> None:
    # Mean 4, s = 2, n = 3, t(0.975, 2) = 4.30265: half is 4.30265 * 2 / sqrt(3).
    found = estimate([2.0, 4.0, 6.0])
    assert found.mean == 4
    assert found.half == pytest.approx(4.96828, abs=1e-4)
    assert found.interval == pytest.approx((4 - 4.96828, 4 + 4.96828), abs=1e-4)


def test_what_cannot_be_estimated() -> None:
    assert estimate([3.5]) == Estimate(3.5, None) and estimate([3.5]).interval is None
    assert estimate([1.0, None]) == estimate([]) == Estimate(None, None)


@given(samples)
def test_intervals_are_scipys(values: list[float]) -> None:
    ends = scipy.stats.t.interval(0.95, len(values) - 1, fmean(values), scipy.stats.sem(values))
    assert estimate(values).interval == pytest.approx(ends, rel=1e-6, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(samples, st.data())
def test_paired_tests_are_scipys(ours: list[float], data: st.DataObject) -> None:
    theirs = [data.draw(st.floats(-50, 50)) for _ in ours]
    differences = [one - other for one, other in zip(ours, theirs, strict=True)]
    assume(max(differences) - min(differences) > 1e-3)
    assume(len({abs(difference) for difference in differences} - {0.0}) == len(differences))
    found = paired(dict(enumerate(ours)), dict(enumerate(theirs)))
    expected = scipy.stats.ttest_rel(ours, theirs)
    assert found.pairs == len(ours) and found.effect.mean == pytest.approx(fmean(differences))
    assert found.t_test == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    ends = expected.confidence_interval(0.95)
    assert found.effect.interval == pytest.approx((ends.low, ends.high), rel=1e-6, abs=1e-9)
    assert found.wilcoxon == pytest.approx(scipy.stats.wilcoxon(ours, theirs).pvalue)


def test_students_own_example() -> None:
    """Student (1908), sleep gained by two drugs: mean difference 1.58, t = 4.0621 with 9 degrees of freedom."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = paired(dict(enumerate(second)), dict(enumerate(first)))
    assert found.effect.mean == pytest.approx(1.58)
    assert found.t_test == pytest.approx(0.00283, abs=1e-5)
    assert found.effect.interval == pytest.approx((0.7001, 2.4599), abs=1e-4)


def test_only_what_both_have_is_compared() -> None:
    ours = {"a": 1.0, "b": 2.0, "c": None, "e": 5.0, "f": 6.0}
    theirs = {"b": 1.5, "a": 1.0, "c": 3.0, "d": 9.0, "f": None}
    found = paired(ours, theirs)
    assert (found.pairs, found.effect.mean) == (2, 0.25)
    assert paired(ours, {"e": 4.0}) == Difference(1, Estimate(1.0, None), None, None)
    assert paired(ours, {}) == Difference(0, Estimate(None, None), None, None)


def test_differences_of_one_size_and_of_none() -> None:
    """By hand: of 1, 1, -1 and 0 the last is dropped; ranks are 2 each, and no signs sum up to less than 2."""
    found = paired(dict(enumerate([1.0, 1.0, -1.0, 0.0])), dict.fromkeys(range(4), 0.0))
    assert found.wilcoxon == 1.0


@given(st.lists(st.sampled_from([-1.5, -1.0, -0.5, 0.5, 1.0, 1.5]), min_size=2, max_size=8))
def test_wilcoxons_test_of_ties_is_exact(differences: list[float]) -> None:
    """The share of all ways to give the mean ranks signs that are as far from 0 as what was found."""
    ranks = scipy.stats.rankdata([abs(difference) for difference in differences])
    sums = [abs(sum(map(operator.mul, ranks, signs))) for signs in product((-1, 1), repeat=len(ranks))]
    far = abs(sum(rank if difference > 0 else -rank for rank, difference in zip(ranks, differences, strict=True)))
    found = paired(dict(enumerate(differences)), dict.fromkeys(range(len(differences)), 0.0))
    assert found.wilcoxon == pytest.approx(sum(one >= far for one in sums) / len(sums))


def test_equal_differences() -> None:
    same = {0: 1.0, 1: 2.0, 2: 3.0}
    nothing, always = paired(same, same), paired({key: value + 1 for key, value in same.items()}, same)
    assert (nothing.t_test, nothing.wilcoxon, nothing.effect) == (1.0, 1.0, Estimate(0.0, 0.0))
    assert (always.t_test, always.effect) == (0.0, Estimate(1.0, 0.0))


@pytest.mark.parametrize("pairs", [2, 3, 6, 9])
def test_wilcoxon_of_few_pairs_cannot_be_small(pairs: int) -> None:
    for apart in (1.0, 0.0):  # and of equal ones neither
        found = paired({n: apart * n + 1.5 for n in range(pairs)}, dict.fromkeys(range(pairs), 0.0))
        assert found.wilcoxon == pytest.approx(2 / 2**pairs)


def test_holms_correction_by_hand() -> None:
    # 0.005 * 4; 0.01 * 3; then 0.03 * 2; and 0.04 * 1 is raised to the value before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, None, 0.9]) == [1.0, None, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_his_procedure_rejects(values: list[float]) -> None:
    """Step down: as long as the k-th smallest of m values is at most level / (m - k + 1)."""
    level, rejected = 0.05, set()
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if values[place] * (len(values) - rank) > level:
            break
        rejected.add(place)
    assert {place for place, value in enumerate(holm(values)) if value is not None and value <= level} == rejected


def test_differences_are_corrected_together() -> None:
    made = [Difference(3, Estimate(1.0, 0.5), p, None) for p in (0.01, 0.02, None)]
    assert [difference.holm for difference in corrected(made)] == [0.02, 0.02, None]
