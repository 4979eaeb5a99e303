"""One run: a method learns a stream, task after task, and is scored on all of them after each."""

import copy
import json
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import numpy as np
import torch
import yaml
from jsonargparse import Namespace
from lightning import Trainer, seed_everything
from lightning.fabric.utilities.exceptions import MisconfigurationException
from PIL import Image
from torch import nn

from raincheck import checkpoint
from raincheck.claim import claimed, remember_data, same_data
from raincheck.config import RunConfig, build, dump, one_line
from raincheck.datasets.base import Task
from raincheck.datasets.held import ROOM
from raincheck.errors import ConfigError
from raincheck.evaluation.frames import save_frames, save_videos
from raincheck.evaluation.matrix import Matrix
from raincheck.files import remove_partial
from raincheck.metrics import METRICS
from raincheck.networks import ClipNetwork, find_weights, start_from
from raincheck.outcome import Matrices, Report, conclude, pause
from raincheck.plugins.finite import FiniteLoss
from raincheck.plugins.passes import Passes
from raincheck.plugins.progress import ProgressBar
from raincheck.plugins.scores import Scores
from raincheck.plugins.stopwatch import Stopwatch
from raincheck.plugins.throughput import Throughput
from raincheck.processes import first_does, is_first
from raincheck.seam.callbacks import Callbacks, described
from raincheck.seam.launch import QUIET, helpers, meet
from raincheck.sober import notices, sober
from raincheck.strategy import LightningStrategy
from raincheck.streams import Benchmark, Learn, RainExperience, rain_stream
from raincheck.tracking import tracked
from raincheck.tracking.base import Tracker


def run(config: Namespace, out: Path, until: int | None = None) -> Report:
    """Runs a method on a stream, or goes on where the same run was interrupted, or returns what it found before.

    Args:
        config: from `raincheck.config.parse`.
        out: the run's folder: report.json, config.yaml, weights.safetensors, checkpoints/, frames/, logs/.
        until: stop after so many experiences; the same run without it goes on.

    Returns:
        The content of report.json; of so_far.json, if the run stopped before its end.

    Raises:
        ConfigError: if the folder holds a run of another configuration, or something in the configuration is wrong.
        OutputError: if the folder cannot be used.
        DivergenceError: if a loss is no number any more; the checkpoint of the last task is kept.
    """
    with sober():
        meet(config.trainer, torch.device("cpu"))
    with ExitStack() as claims:
        report = first_does(lambda: enter(claims, out, dump(config)))
        if report is not None:
            return report
        plain = yaml.safe_load(dump(config))
        with sober(), notices(), tracked(config.tracking if is_first() else "none", out, plain) as tracker:
            seed_everything(_seed(config.seed, 0), verbose=False)
            return learn(build(config), out, tracker, until)


def enter(claims: ExitStack, out: Path, config: str) -> Report | None:
    """Takes the folder, and keeps it for as long as `claims` is open; returns the report of a finished run in it."""
    claims.enter_context(checkpoint.locked(out))
    claims.enter_context(claimed(out, config))
    remove_partial(out)
    finished = out / "report.json"
    report: Report | None = json.loads(finished.read_text()) if finished.exists() else None
    return report


def learn(config: RunConfig, out: Path, tracker: Tracker, until: int | None) -> Report:
    """The flow: build, score, then learn and score task after task."""
    ROOM.limit = config.stream.held
    if config.weights is not None:
        start_from(config.network, config.weights)
    tasks = [source.task(config.seed) for source in config.stream.tasks]
    stream = stream_of(config, tasks)
    alone, first = config.stream.learn == "individual", copy.deepcopy(config.network.state_dict())
    strategy, scores, watch = make_strategy(config, out, tracker)
    nodes = config.trainer.get("num_nodes", 1)
    workers = helpers(strategy.device, nodes) if config.workers is None else config.workers
    data = same_data(out, [*tasks, *begun_with(config)])
    matrices = resume(strategy) or untrained(strategy, scores, stream, [task.name for task in tasks])
    first_does(lambda: remember_data(out, data))
    tracker.log_matrices(matrices, strategy.clock.train_iterations)
    for experience in stream.train_stream[strategy.clock.train_exp_counter : until]:
        seed_everything(_seed(config.seed, 1 + experience.current_experience), verbose=False)
        position = experience.current_experience
        tested = slice(position, position + 1) if alone else slice(None)
        if alone:
            strategy.model.load_state_dict(first)
        train(strategy, experience, workers)
        strategy.eval(stream.test_stream[tested])
        matrices = {
            name: filled(matrix, scores.rows[name], config.stream.learn, position) for name, matrix in matrices.items()
        }
        tracker.log_matrices(matrices, strategy.clock.train_iterations)
        if alone:  # while its expert is there
            expert, step = copy.deepcopy(config.network), strategy.clock.train_iterations
            first_does(partial(show, expert, tasks[tested], out, tracker, step))
        strategy.save(matrices={name: matrix.to_json() for name, matrix in matrices.items()})
    if strategy.clock.train_exp_counter < len(stream.train_stream):
        return first_does(lambda: pause(config, tasks, out, matrices))
    if not alone:
        first_does(lambda: show(config.network, tasks, out, tracker, strategy.clock.train_iterations))
    report = first_does(lambda: conclude(config, strategy, tasks, out, matrices, watch.seconds))
    tracker.log_results(out, report)
    return report


def stream_of(config: RunConfig, tasks: Sequence[Task]) -> Benchmark:
    """What is learned, as an Avalanche benchmark."""
    return rain_stream(
        tasks,
        window=config.network.window,
        crop=config.stream.crop,
        samples=config.stream.steps * config.batch,
        seed=config.seed,
        learn=config.stream.learn,
        augment=config.stream.augment,
    )


def untrained(strategy: LightningStrategy, scores: Scores, stream: Benchmark, names: list[str]) -> Matrices:
    """The first rows of the matrices: what the network scores before it has learned anything."""
    strategy.eval(stream.test_stream)
    return {name: Matrix.before(names, scores.rows[name], metric.higher_is_better) for name, metric in METRICS.items()}


def begun_with(config: RunConfig) -> list[Path]:
    """The file of the weights that the network began with, if it did."""
    return [] if config.weights in (None, "identity") else [find_weights(config.weights)]


def filled(matrix: Matrix, row: list[float], learn: Learn, position: int) -> Matrix:
    """R with the newest scores: on all tasks or, of an expert, on its own."""
    if learn == "individual":
        return matrix.alone(position, row[0])
    return matrix.after(row, len(matrix.tasks) if learn == "joint" else None)


def resume(strategy: LightningStrategy) -> Matrices:
    """Goes on where the run was interrupted: the matrices so far.

    A run whose plugins can't save what they remember begins anew, and comes to the same bits.
    """
    kept = strategy.resume() or {"matrices": {}}
    return {name: Matrix.from_json(matrix) for name, matrix in kept["matrices"].items()}


def train(strategy: LightningStrategy, experience: RainExperience, workers: int) -> None:
    """Learns a task."""
    try:
        strategy.train(experience, num_workers=workers, shuffle=False)
    finally:
        for plugin in strategy.plugins:
            if isinstance(plugin, ProgressBar):
                plugin.close()  # also after an error, or the terminal would stay without a cursor


def make_strategy(config: RunConfig, out: Path, tracker: Tracker) -> tuple[LightningStrategy, Scores, Stopwatch]:
    """The strategy with the method's plugins, and with those that every run has.

    Raises:
        ConfigError: if the optimizer or the trainer does not take its arguments, or as `try_out`.
    """
    scores, watch = Scores(), Stopwatch()
    for plugin in config.plugins:
        if getattr(plugin, "seed", config.seed) is None:  # as its documentation says
            plugin.seed = config.seed
    trainer = described(config.trainer)
    Callbacks(trainer.get("callbacks"))  # which says more clearly what is wrong with them
    try:
        optimizer = config.optimizer(config.network.parameters())
        Trainer(**{**QUIET, **trainer})
    except (TypeError, ValueError, MisconfigurationException) as error:
        raise ConfigError(f"{one_line(str(error))}; correct the optimizer's or the trainer's arguments") from None
    try_out(config)
    always = [FiniteLoss(), scores, Throughput(tracker.log_metrics), ProgressBar(config.method)]
    strategy = LightningStrategy(
        model=config.network,
        optimizer=optimizer,
        criterion=config.loss,
        train_mb_size=config.batch,
        eval_mb_size=1,
        plugins=[Passes(), watch, *config.plugins, *always],
        evaluator=None,
        reset_optimizer=True,
        checkpoints=out / "checkpoints",
        save_every=config.save_every,
        # What callbacks write without being told where goes below it.
        trainer={
            **{"logger": tracker.for_trainer, "log_every_n_steps": 1, "default_root_dir": out / "trainer"},
            **trainer,
        },
    )
    return strategy, scores, watch


def try_out(config: RunConfig) -> None:
    """Computes the loss of black clips and makes a step with other weights, before the first test takes its time.

    Raises:
        ConfigError: if the loss is for something else, or no single number, or the optimizer for other gradients.
    """
    black, weights = torch.zeros(1, 3, *[config.stream.crop] * 2), nn.Parameter(torch.zeros(1, 1))
    part = f"the loss {type(config.loss).__name__}"
    loss = copy.deepcopy(config.loss)  # which may count its calls
    try:
        with torch.random.fork_rng(devices=[]):  # and draw
            size = loss(black, black.clone()).numel()
        part, weights.grad = "the optimizer", torch.zeros_like(weights)
        with suppress(AssertionError):  # `capturable=True`: not on the CPU, where these weights are
            config.optimizer([weights]).step()
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ConfigError(f"{part} cannot learn from clips: {one_line(str(error))}; choose another") from None
    if size != 1:
        raise ConfigError(f"the loss {type(config.loss).__name__} is {size} numbers, not one; give their mean")


def show(network: ClipNetwork, tasks: list[Task], out: Path, tracker: Tracker, step: int) -> None:
    """Writes before/after pictures, and videos for a tracker that shows them."""
    network.cpu().eval()
    for task, files in save_frames(network, tasks, out / "frames").items():
        tracker.log_pictures(task, {kind: Image.open(file) for kind, file in files.items()}, step)
    if tracker.takes_videos:
        for task, video in save_videos(network, tasks, out / "frames").items():
            tracker.log_video(task, video, step)


def _seed(seed: int, part: int) -> int:
    """A 32-bit seed for one part of a run: parts of one seed, and one part of several seeds, are unrelated."""
    return int(np.random.SeedSequence((seed, part)).generate_state(1)[0])
