"""What Adam's state is good for at the border between two tasks: kept, as Avalanche does, or reset, as `run` does.

Learns the demonstration's three rains with a small network, by fine-tuning and by RRGNet, several seeds each: with the
demonstration's schedule, which begins each task with a warm-up, or at a constant rate. Prints a Markdown table: average
and forgetting in dB psnr_y, and how far the loss rises over what it was at the border, after the first step and at most
within ten steps, on held-out clips of the new task and of the task just learned. Means over seeds, with half of the
95 % t-interval; every third row is of the differences, seed by seed.

    OMP_NUM_THREADS=1 python experiments/optimizer_state.py [--seeds 0 1 2] [--steps 100] [--rate warm-up|constant]
"""

import argparse
import sys
from datetime import UTC, datetime
from importlib import resources
from itertools import product
from typing import Any

import torch
from avalanche.core import SupervisedPlugin
from lightning import seed_everything

from raincheck.checkpoint import versions
from raincheck.config import RunConfig, build, parse
from raincheck.datasets.base import Task
from raincheck.datasets.clips import TrainClips
from raincheck.datasets.rendered import RenderedRain
from raincheck.demo import METHODS, RAINS
from raincheck.evaluation.matrix import Matrix
from raincheck.evaluation.statistics import estimate
from raincheck.evaluation.transfer import average, forgetting
from raincheck.notices import quiet_libraries
from raincheck.plugins import RainReview
from raincheck.plugins.schedule import CosineSchedule
from raincheck.plugins.scores import Scores
from raincheck.strategy import LightningStrategy
from raincheck.streams import rain_stream

SMALL = ["--stream.crop", "32", "--network.init_args.width", "12"]
COLUMNS = ("average", "forgetting", "new, step 1", "new, 10 steps", "old, step 1", "old, 10 steps")
EARLY = 10  # steps of a task

Numbers = dict[str, float]


class Jumps(SupervisedPlugin):
    """The loss on held-out clips of the new task and of the one before, over the first steps of a task.

    Args:
        clips: of each task: rainy `(b, t, c, h, w)` and clean `(b, c, h, w)`.
    """

    def __init__(self, clips: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        super().__init__()
        self.clips = clips
        self.losses: dict[tuple[str, int], list[float]] = {}

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        """At the border."""
        self._look(strategy)

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        """After each of the first steps."""
        if strategy.clock.train_exp_iterations < EARLY:
            self._look(strategy)

    @torch.no_grad()
    def _look(self, strategy: Any) -> None:
        task = strategy.clock.train_exp_counter
        for name, index in (("new", task), ("old", task - 1)) if task else ():
            rainy, clean = self.clips[index]
            loss = float(strategy._criterion(strategy.model(rainy), clean))
            self.losses.setdefault((name, task), []).append(loss)

    def numbers(self) -> Numbers:
        """Percent of the loss at the border, means over borders."""
        found = {}
        for name in ("new", "old"):
            paths = [path for (kind, _), path in self.losses.items() if kind == name]
            found[f"{name}, step 1"] = sum(100 * (path[1] / path[0] - 1) for path in paths) / len(paths)
            found[f"{name}, 10 steps"] = sum(100 * (max(path[1:]) / path[0] - 1) for path in paths) / len(paths)
        return found


def held_out(tasks: list[Task], config: RunConfig) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Sixteen clips of each task that no step sees."""
    found = []
    for index, task in enumerate(tasks):
        window, crop = config.network.window, config.stream.crop
        clips = TrainClips(task.train, window=window, crop=crop, samples=16, seed=config.seed + 1000, experience=index)
        rainy, clean = zip(*[clips[i][:2] for i in range(len(clips))], strict=True)
        found.append((torch.stack(rainy), torch.stack(clean)))
    return found


def learn(method: str, reset: bool, seed: int, steps: int, warm: bool) -> Numbers:
    """One run."""
    demo = resources.files("raincheck.demo")
    files = ["--config", str(demo / "stream.yaml"), "--config", str(demo / f"{method}.yaml")]
    seed_everything(seed, verbose=False)
    config = build(parse([*files, *SMALL, "--seed", str(seed)]))
    tasks = [
        RenderedRain(rain, rain, photographs="bundled", test_frames=4, test_size=(96, 96)).task(seed) for rain in RAINS
    ]
    stream = rain_stream(
        tasks, window=config.network.window, crop=config.stream.crop, samples=steps * config.batch, seed=seed
    )
    plugins = [plugin for plugin in config.plugins if warm or not isinstance(plugin, CosineSchedule)]
    for plugin in plugins:
        if isinstance(plugin, RainReview):
            plugin.seed = seed
    scores, jumps = Scores(), Jumps(held_out(tasks, config))
    strategy = LightningStrategy(
        model=config.network,
        optimizer=config.optimizer(config.network.parameters()),
        criterion=config.loss,
        train_mb_size=config.batch,
        eval_mb_size=1,
        plugins=[*plugins, scores, jumps],
        evaluator=None,
        reset_optimizer=reset,
    )
    matrix = Matrix.before(RAINS, [None] * len(RAINS))
    for experience in stream.train_stream:
        strategy.train(experience, shuffle=False)
        strategy.eval(stream.test_stream)
        matrix = matrix.after(scores.rows["psnr_y"])
    delivered, forgot = average(matrix), forgetting(matrix)
    assert delivered is not None
    assert forgot is not None
    return {"average": delivered, "forgetting": forgot, **jumps.numbers()}


def row(name: str, runs: list[Numbers]) -> str:
    """A line of the table."""
    cells = [estimate([run[column] for run in runs]) for column in COLUMNS]
    shown = [f"{cell.mean:+.2f}" + ("" if cell.half is None else f" ± {cell.half:.2f}") for cell in cells]
    return f"| {name} | {' | '.join(shown)} |"


def main() -> None:
    """Learns, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=100, help="of each task")
    parser.add_argument("--rate", choices=("warm-up", "constant"), default="warm-up")
    options = parser.parse_args()
    settings = list(product(METHODS, (False, True)))
    runs: dict[tuple[str, bool], list[Numbers]] = {setting: [] for setting in settings}
    for seed, (method, reset) in product(options.seeds, settings):
        with quiet_libraries():
            runs[method, reset].append(learn(method, reset, seed, options.steps, options.rate == "warm-up"))
        print(seed, method, reset, runs[method, reset][-1], file=sys.stderr, flush=True)
    print(f"{datetime.now(UTC).date()}, {options.steps} steps a task, seeds {options.seeds}, {versions()}\n")
    print(f"| {options.rate} | average dB | forgetting dB | {' | '.join(f'{column} %' for column in COLUMNS[2:])} |")
    print(f"|---|{'---:|' * len(COLUMNS)}")
    for method in METHODS:
        kept, reset = runs[method, False], runs[method, True]
        gained = [{column: r[column] - k[column] for column in COLUMNS} for k, r in zip(kept, reset, strict=True)]
        for name, found in (("kept", kept), ("reset", reset), ("reset − kept", gained)):
            print(row(f"{method}, {name}", found))


if __name__ == "__main__":
    main()
