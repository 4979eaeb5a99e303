"""What a run keeps between two experiences, and how it goes on from there."""

from pathlib import Path
from typing import Any

from raincheck import checkpoint
from raincheck.errors import ConfigError
from raincheck.evaluation.matrix import Matrix
from raincheck.strategy import LightningStrategy

Matrices = dict[str, Matrix]


def save_state(out: Path, strategy: LightningStrategy, matrices: Matrices, seconds: float) -> None:
    """Writes everything that the next experience needs; the generators are seeded anew at each.

    Raises:
        OutputError: if it cannot be written.
    """
    (out / "checkpoints").mkdir(exist_ok=True)
    state = {
        "network": strategy.model.state_dict(),
        "plugins": [plugin.state_dict() if hasattr(plugin, "state_dict") else None for plugin in strategy.plugins],
        "clock": dict(vars(strategy.clock)),
        "matrices": {name: matrix.to_json() for name, matrix in matrices.items()},
        "seconds": seconds,
    }
    checkpoint.save(out / "checkpoints" / "last.ckpt", state)


def resume(strategy: LightningStrategy, out: Path) -> tuple[int, Matrices, float]:
    """Restores the last experience's end: how many are done, R so far, seconds of training so far.

    Raises:
        ConfigError: if the checkpoint cannot be read, or a plugin cannot tell what it remembers.
    """
    state = checkpoint.load(out / "checkpoints" / "last.ckpt")
    if state is None:
        return 0, {}, 0.0
    for plugin in strategy.plugins:
        if forgetful(plugin):
            raise ConfigError(
                f"{out} cannot go on: {type(plugin).__name__} cannot save what it remembers; choose another --out and "
                "let it finish, or use a plugin with a state_dict"
            )
    strategy.model.load_state_dict(state["network"])
    for plugin, saved in zip(strategy.plugins, state["plugins"], strict=True):
        if saved is not None:
            plugin.load_state_dict(saved)
    vars(strategy.clock).update(state["clock"])
    matrices = {name: Matrix.from_json(matrix) for name, matrix in state["matrices"].items()}
    return strategy.clock.train_exp_counter, matrices, state["seconds"]


def forgetful(plugin: Any) -> bool:
    """Whether a plugin may hold a memory that no checkpoint has: stock ones do, ours have a `state_dict` if they do.

    The strategy's own three (evaluation, periodic evaluation, clock) hold nothing else than is saved here.
    """
    own = {"EvaluationPlugin", "PeriodicEval", "Clock"}
    foreign = not type(plugin).__module__.startswith("raincheck.") and type(plugin).__name__ not in own
    return foreign and not hasattr(plugin, "state_dict")
