"""One run: a method learns a stream, task after task, and is scored on all of them after each."""

import copy
import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
import yaml
from jsonargparse import Namespace
from PIL import Image

from raincheck.config import RunConfig, build, dump
from raincheck.datasets.base import Task
from raincheck.datasets.held import ROOM
from raincheck.evaluation.file_names import file_names
from raincheck.evaluation.frames import save_frames, save_videos
from raincheck.evaluation.matrix import Matrix
from raincheck.files import locked, remove_partial
from raincheck.generators import seed_generators
from raincheck.metrics import METRICS
from raincheck.networks import ClipNetwork, start_from
from raincheck.notices import notices, quiet_libraries
from raincheck.plugins.progress import ProgressBar
from raincheck.plugins.scores import Scores
from raincheck.processes import first_does, is_first
from raincheck.running.assembly import make_strategy, make_stream, plugin_of
from raincheck.running.claim import claimed, kept, remember_data, same_data, same_data_left
from raincheck.running.misfit import misfits
from raincheck.running.outcome import Matrices, Report, conclude, pause
from raincheck.running.workers import workers
from raincheck.seam.launch import meet
from raincheck.strategy import LightningStrategy
from raincheck.streams import Benchmark, RainExperience
from raincheck.tracking import tracked
from raincheck.tracking.base import Tracker
from raincheck.ways import WAYS, Way


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
        DivergenceError: if a loss is no longer finite; the checkpoint of the last task is kept.
    """
    with quiet_libraries():
        meet(config.trainer, torch.device("cpu"))
    with ExitStack() as claims:
        report = first_does(lambda: enter(claims, out, dump(config)))
        if report is not None:
            return report
        plain = yaml.safe_load(dump(config))
        with quiet_libraries(), notices(), tracked(config.tracking if is_first() else "none", out, plain) as tracker:
            _reseed(config.seed, 0)
            built = build(config)
            with misfits(built.plugins):
                return learn(built, out, tracker, until)


def enter(claims: ExitStack, out: Path, config: str) -> Report | None:
    """Takes the folder, and keeps it for as long as `claims` is open; returns the report of a finished run in it."""
    claims.enter_context(locked(out))
    claims.enter_context(claimed(out, config))
    remove_partial(out)
    finished = out / "report.json"
    if not finished.exists():
        return None
    same_data_left(out)
    return kept(finished, json.loads, "metrics")


def learn(config: RunConfig, out: Path, tracker: Tracker, until: int | None) -> Report:
    """The flow: build, score, then learn and score task after task."""
    ROOM.limit, way = config.stream.held, WAYS[config.stream.learn]
    if config.weights is not None:
        start_from(config.network, config.weights)
    first = copy.deepcopy(config.network.state_dict())
    tasks = [source.task(config.seed) for source in config.stream.tasks]
    stream, strategy = make_stream(config, tasks), make_strategy(config, out, tracker)
    data = same_data(out, tasks, config.weights)
    matrices = resumed(strategy) or untrained(strategy, stream)
    first_does(lambda: remember_data(out, data))
    tracker.log_matrices(matrices, strategy.clock.train_iterations)
    for experience in stream.train_stream[strategy.clock.train_exp_counter : until]:
        position = experience.current_experience
        _reseed(config.seed, 1 + position)
        if way.anew:
            strategy.model.load_state_dict(first)
        train(config, strategy, experience)
        matrices = scored(way, strategy, stream, matrices, position)
        tracker.log_matrices(matrices, strategy.clock.train_iterations)
        if way.anew:  # while its expert is there
            show(config.network, tasks, out, tracker, strategy.clock.train_iterations, slice(position, position + 1))
        strategy.save(matrices={name: matrix.to_json() for name, matrix in matrices.items()})
    if strategy.clock.train_exp_counter < len(stream.train_stream):
        return first_does(lambda: pause(config, tasks, out, matrices))
    if not way.anew:
        show(config.network, tasks, out, tracker, strategy.clock.train_iterations)
    report = first_does(lambda: conclude(config, strategy, tasks, out, matrices))
    tracker.log_results(out, report)
    return report


def untrained(strategy: LightningStrategy, stream: Benchmark) -> Matrices:
    """The first rows of the matrices: what the network scores before it has learned anything."""
    strategy.eval(stream.test_stream)
    rows, names = plugin_of(strategy, Scores).rows, [experience.name for experience in stream.test_stream]
    return {name: Matrix.before(names, rows[name], metric.higher_is_better) for name, metric in METRICS.items()}


def resumed(strategy: LightningStrategy) -> Matrices:
    """Goes on where the run was interrupted; returns the matrices so far, none where nothing was kept.

    A run whose plugins can't save what they remember begins anew, and comes to the same bits.
    """
    state = strategy.resume() or {"matrices": {}}
    return {name: Matrix.from_json(matrix) for name, matrix in state["matrices"].items()}


def train(config: RunConfig, strategy: LightningStrategy, experience: RainExperience) -> None:
    """Learns a task."""
    try:
        with workers(config, strategy.device) as count:
            strategy.train(experience, num_workers=count, shuffle=False)
    finally:
        plugin_of(strategy, ProgressBar).close()  # also after an error, or the terminal would stay without a cursor


def scored(way: Way, strategy: LightningStrategy, stream: Benchmark, matrices: Matrices, position: int) -> Matrices:
    """The matrices with the newest scores: on all tasks or, of an expert, on its own."""
    strategy.eval(stream.test_stream[slice(position, position + 1) if way.anew else slice(None)])
    rows = plugin_of(strategy, Scores).rows
    if way.anew:
        return {name: matrix.alone(position, rows[name][0]) for name, matrix in matrices.items()}
    learned = len(stream.test_stream) if way.at_once else None
    return {name: matrix.after(rows[name], learned) for name, matrix in matrices.items()}


def show(
    network: ClipNetwork, tasks: list[Task], out: Path, tracker: Tracker, step: int, which: slice = slice(None)
) -> None:
    """Has the first process write before/after pictures of some tasks, and videos for a tracker that shows them."""
    shown = copy.deepcopy(network).cpu().float().eval()  # `64-true` of a Trainer leaves doubles
    names = file_names(task.name for task in tasks)

    def write() -> None:
        for task, files in save_frames(shown, tasks[which], out / "frames", names).items():
            tracker.log_pictures(task, {kind: Image.open(file) for kind, file in files.items()}, step)
        if tracker.takes_videos:
            for task, video in save_videos(shown, tasks[which], out / "frames", names).items():
                tracker.log_video(task, video, step)

    first_does(write)


def _reseed(seed: int, part: int) -> None:
    """Seeds the global generators for one part of a run, which is unrelated to its other parts and to other seeds."""
    numbers = np.random.SeedSequence((seed, part)).generate_state(1)  # of 32 bits, as all generators take
    seed_generators(int(numbers[0]))
