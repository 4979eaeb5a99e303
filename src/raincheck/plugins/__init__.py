"""Continual-learning mechanisms: one native Avalanche plugin a file, so that they also run in Avalanche's own loop.

A plugin that adds to the loss leaves what it added in its attribute `terms`, by name, for the logs. A plugin with a
memory has `state_dict` and `load_state_dict` over tensors and primitives, for checkpoints.
"""

from raincheck.plugins.averaging import WeightAveraging
from raincheck.plugins.best import BestWeights
from raincheck.plugins.der import DER
from raincheck.plugins.distillation import Distillation
from raincheck.plugins.ewc import EWC
from raincheck.plugins.finite import FiniteLoss
from raincheck.plugins.gem import AGEM, GEM
from raincheck.plugins.mas import MAS
from raincheck.plugins.pigwm import PIGWM
from raincheck.plugins.review import RainReview
from raincheck.plugins.schedule import CosineSchedule
from raincheck.plugins.si import SI
from raincheck.plugins.task_weights import TaskWeights

__all__ = [
    "AGEM",
    "DER",
    "EWC",
    "GEM",
    "MAS",
    "PIGWM",
    "SI",
    "BestWeights",
    "CosineSchedule",
    "Distillation",
    "FiniteLoss",
    "RainReview",
    "TaskWeights",
    "WeightAveraging",
]
