"""Means over runs, differences between methods over the same seeds and orders, and what chance would do to them."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from scipy.special import stdtr, stdtrit
from scipy.stats import wilcoxon

LEVEL = 0.05  # chance of a false alarm that is accepted; intervals are of 1 - LEVEL


@dataclass(frozen=True)
class Estimate:
    """A mean over runs.

    Attributes:
        mean: None if there is no run, or one without such a value.
        half: half the width of the mean's 95 % interval; None of fewer than two runs.
    """

    mean: float | None
    half: float | None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The ends of the 95 % interval."""
        return None if self.mean is None or self.half is None else (self.mean - self.half, self.mean + self.half)


def estimate(values: Sequence[float | None]) -> Estimate:
    """Mean and 95 % interval of Student's t: `s / sqrt(n)` times the 97.5 % quantile with n - 1 degrees of freedom."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return Estimate(None, None)
    if len(known) == 1:
        return Estimate(known[0], None)
    return Estimate(fmean(known), float(stdtrit(len(known) - 1, 1 - LEVEL / 2)) * stdev(known) / math.sqrt(len(known)))


@dataclass(frozen=True)
class Difference:
    """One method's values less another's, pair by pair.

    Attributes:
        pairs: how many there are.
        effect: mean difference, in the values' own unit, with the interval of the paired t-test.
        t_test: two-sided p of the paired t-test; None of fewer than two pairs.
        wilcoxon: two-sided p of Wilcoxon's signed-rank test, likewise. Of few pairs it cannot be small: with n pairs
            the least is `2 / 2^n`, 0.25 with 3 and 0.004 with 9.
        holm: `t_test`, corrected for the number of differences that are looked at together.
    """

    pairs: int
    effect: Estimate
    t_test: float | None
    wilcoxon: float | None
    holm: float | None = None


def paired(ours: Mapping[Hashable, float | None], theirs: Mapping[Hashable, float | None]) -> Difference:
    """Compares two methods over what both were run with; a value that is None leaves its pair out.

    Args:
        ours: values by what makes runs a pair, such as (seed, order).
        theirs: the same of the other method, to be subtracted.
    """
    both = ((ours[key], theirs[key]) for key in ours if key in theirs)
    differences = [one - other for one, other in both if one is not None and other is not None]
    if len(differences) < 2:
        return Difference(len(differences), estimate(differences), None, None)
    return Difference(len(differences), estimate(differences), _t_test(differences), _signed_rank(differences))


def _t_test(differences: Sequence[float]) -> float:
    """Two-sided p for a mean of 0; 0 where all differences are one and the same, 1 where that is 0."""
    mean, error = fmean(differences), stdev(differences) / math.sqrt(len(differences))
    if error == 0:
        return 0.0 if mean else 1.0
    return float(2 * stdtr(len(differences) - 1, -abs(mean / error)))


def _signed_rank(differences: Sequence[float]) -> float:
    """Two-sided p of Wilcoxon (1945); those of 0 are dropped, as he did.

    By scipy's own choice: exact, but for more than 13 pairs of which some are equal in size, or more than 50 at all. Of
    fewer with such ties the normal distribution would come out below the least p that there can be.
    """
    moved = [difference for difference in differences if difference]
    return float(wilcoxon(moved).pvalue) if moved else 1.0


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Values of p corrected for their number, so that one false alarm among them is as rare as one test's (Holm 1979).

    The smallest is multiplied by their number m, the next by m - 1, and so on; none ends up below a smaller one, nor
    above 1. None stays None.
    """
    known = sorted((value, place) for place, value in enumerate(values) if value is not None)
    corrected: list[float | None] = [None] * len(values)
    least = 0.0
    for rank, (value, place) in enumerate(known):
        least = max(least, min(1.0, value * (len(known) - rank)))
        corrected[place] = least
    return corrected


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """Differences that are looked at together, with Holm's correction."""
    values = holm([difference.t_test for difference in differences])
    return [replace(difference, holm=value) for difference, value in zip(differences, values, strict=True)]
