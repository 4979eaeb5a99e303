"""The trials of a sweep, and the file that remembers them: written whole or not at all, after every change."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from raincheck.errors import ConfigError, one_line
from raincheck.files import write_text
from raincheck.sweeping.space import Point

State = Literal["running", "finished", "stopped", "failed"]


@dataclass
class Trial:
    """One trial.

    Attributes:
        number: from 0, in the order in which trials were proposed.
        id: of its run, whose folder has this name.
        point: what was proposed.
        values: the parameters' values, by their full names.
        state: `running` also if the sweep was interrupted meanwhile.
        value: of the metric; of a stopped trial, when it was stopped.
        learned: tasks.
        scores: the metric at borders at which trials were compared, by how many tasks were learned.
        notes: of Optuna's pruner, about which comparisons were passed.
        seconds: that its runs took here.
        error: what went wrong.
    """

    number: int
    id: str
    point: Point
    values: dict[str, Any]
    state: State = "running"
    value: float | None = None
    learned: int = 0
    scores: dict[int, float] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    error: str | None = None


@dataclass
class Trials:
    """All trials of a sweep.

    Attributes:
        path: the file.
        decisive: the part of the sweep file that they were proposed from.
        all: by number.
    """

    path: Path
    decisive: Mapping[str, Any]
    all: list[Trial] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path, decisive: Mapping[str, Any]) -> "Trials":
        """The trials so far: none, if there is no file.

        Raises:
            ConfigError: if they are another sweep's, or none.
        """
        if not path.exists():
            return cls(path, decisive)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            before = dict(content["sweep"])
            trials = cls(path, decisive, [_trial(one) for one in content["trials"]])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f"{path} is not the state of a sweep ({type(error).__name__}: {one_line(error)}); choose another --out"
            ) from None
        plain = json.loads(json.dumps(decisive, default=str))
        differ = {key for key in {*plain, *before} if plain.get(key) != before.get(key)}
        if differ := differ - ({"metric"} if trials.unscored else set()):  # which has decided nothing yet
            raise ConfigError(
                f"{path.parent} holds a sweep with another {', '.join(sorted(differ))}; choose another --out"
            )
        return trials

    @property
    def unscored(self) -> bool:
        """Whether no trial has come to a value of the metric."""
        return all(trial.value is None and not trial.scores for trial in self.all)

    def write(self) -> None:
        """Writes the file.

        Raises:
            OutputError: if it cannot be written; the older one is intact then.
        """
        content = {"sweep": self.decisive, "trials": [asdict(trial) for trial in self.all]}
        write_text(self.path, json.dumps(content, indent=1, default=str))

    def twin(self, trial: Trial) -> Trial | None:
        """An earlier trial that is the same run."""
        return next((other for other in self.all[: trial.number] if other.id == trial.id), None)

    def of(self, state: State) -> Sequence[Trial]:
        """Those in a state."""
        return [trial for trial in self.all if trial.state == state]


def _trial(content: dict[str, Any]) -> Trial:
    return Trial(**{**content, "scores": {int(learned): score for learned, score in content["scores"].items()}})
