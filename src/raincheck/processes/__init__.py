"""Several processes that learn as one: how they start, meet, agree and end, and what they divide.

Each of them runs the whole program. What touches files is done by the first alone (`first_does`); what a network
computes they divide (`division`, `loading`).
"""

from raincheck.processes.agreement import agree, first_does, refuse_parted
from raincheck.processes.group import Group, is_first, join, joined
from raincheck.processes.lifetime import STARTER, follow_starter
from raincheck.processes.machine import cores, helpers
from raincheck.processes.voice import one_voice

__all__ = [
    "STARTER",
    "Group",
    "agree",
    "cores",
    "first_does",
    "follow_starter",
    "helpers",
    "is_first",
    "join",
    "joined",
    "one_voice",
    "refuse_parted",
]
