"""Continual-learning scores: the matrix R, and what follows from it."""

from raincheck.evaluation.matrix import Matrix
from raincheck.evaluation.transfer import average, bwt, forgetting, fwt, gap, summary

__all__ = ["Matrix", "average", "bwt", "forgetting", "fwt", "gap", "summary"]
