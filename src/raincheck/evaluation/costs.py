"""What a run costs besides its scores: named here, measured by `raincheck.running.outcome`, read by all else."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["bytes", "seconds", "parameters", "passes"]


@dataclass(frozen=True)
class Cost:
    """A number of which less is better.

    Attributes:
        name: in report.json and CSV files.
        unit: in which it is counted.
        label: of its column, for people; empty if tables for people leave it out.
        meaning: a sentence or two, for people who see the column.
        axis: what an axis calls it; by default its label.
    """

    name: str
    unit: Unit
    label: str = ""
    meaning: str = ""
    axis: str = ""


COSTS = {
    cost.name: cost
    for cost in (
        Cost(
            "parameters",
            "parameters",
            "parameters",
            "Numbers that the network is made of; of experts, all networks together.",
        ),
        Cost(
            "memory_bytes",
            "bytes",
            "memory",
            "Bytes that the method keeps between tasks: clips, stored outputs, old weights, importances. None is given "
            "for bounds that need all data at hand.",
        ),
        Cost("review_bytes", "bytes"),  # of the memory, those of clips and stored outputs
        Cost("train_seconds", "seconds", "training", "Wall time, on the machine that is named with each run."),
        Cost(
            "extra_passes",
            "passes",
            "extra passes",
            "Clips that go through the network, or an old copy of it, while it learns, for each new clip, beyond that "
            "clip's own pass.",
            "extra forward passes a new clip",
        ),
    )
}
