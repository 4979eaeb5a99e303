"""What a finished run writes down: weights, and the report with scores, costs and all that it takes to repeat it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor
from torch.utils._pytree import tree_leaves

from raincheck import checkpoint
from raincheck.config import RunConfig
from raincheck.datasets.base import Task
from raincheck.evaluation.comparable import digest, setting
from raincheck.evaluation.matrix import Matrix
from raincheck.evaluation.transfer import summary
from raincheck.files import write_text
from raincheck.fingerprint import fingerprints
from raincheck.networks import save_weights
from raincheck.plugins.memory import ClipMemory
from raincheck.plugins.passes import Passes
from raincheck.plugins.stopwatch import Stopwatch
from raincheck.running.assembly import plugin_of
from raincheck.strategy import LightningStrategy
from raincheck.tracking.origin import commit, machine
from raincheck.ways import WAYS

Report = dict[str, Any]
Matrices = dict[str, Matrix]
SO_FAR = "so_far.json"  # in the folder of a run that was told to stop after some of its tasks


def conclude(
    config: RunConfig, strategy: LightningStrategy, tasks: list[Task], out: Path, matrices: Matrices
) -> Report:
    """Writes weights and, last, the report: its presence says that the run is finished."""
    network = config.network.cpu().eval()
    save_weights(network, out / "weights.safetensors", {"method": config.method, "seed": str(config.seed)})
    report = {
        **found(config, tasks, matrices),
        "data": {task.name: list(task.notes) for task in tasks if task.notes},
        **costs(config, strategy, len(tasks)),
        "train_seconds": round(plugin_of(strategy, Stopwatch).seconds, 3),
        **origin(config, strategy, tasks, out),
    }
    write_text(out / "report.json", json.dumps(report, indent=1))
    (out / SO_FAR).unlink(missing_ok=True)
    return report


def pause(config: RunConfig, tasks: list[Task], out: Path, matrices: Matrices) -> Report:
    """Writes what is known of a run that is to go on later."""
    known = found(config, tasks, matrices)
    write_text(out / SO_FAR, json.dumps(known, indent=1))
    return known


def found(config: RunConfig, tasks: list[Task], matrices: Matrices) -> Report:
    """What a run was about, and its scores so far."""
    return {
        "method": config.method,
        "seed": config.seed,
        "tasks": [task.name for task in tasks],
        "metrics": {name: summary(matrix) for name, matrix in matrices.items()},
    }


def costs(config: RunConfig, strategy: LightningStrategy, tasks: int) -> Report:
    """What the method kept, and what it sent through networks."""
    experts = tasks if WAYS[config.stream.learn].anew else 1
    return {
        "parameters": experts * sum(p.numel() for p in config.network.parameters()),
        "review_bytes": sum(plugin.clip_bytes for plugin in config.plugins if isinstance(plugin, ClipMemory)),
        "memory_bytes": kept_bytes(config.plugins),
        "extra_passes": plugin_of(strategy, Passes).extra,
    }


def kept_bytes(plugins: list[Any]) -> int | None:
    """Bytes of all that plugins keep between tasks; None if one of them may keep what cannot be counted."""
    sizes = [plugin_bytes(plugin) for plugin in plugins]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def plugin_bytes(plugin: Any) -> int | None:
    """Bytes that one plugin keeps: by its attribute `bytes`, else by its state; of others, ours keep nothing."""
    if hasattr(plugin, "bytes"):
        return int(plugin.bytes)
    if hasattr(plugin, "state_dict"):
        return sum(leaf.nbytes for leaf in tree_leaves(plugin.state_dict()) if isinstance(leaf, Tensor))
    return 0 if type(plugin).__module__.startswith("raincheck.") else None


def origin(config: RunConfig, strategy: LightningStrategy, tasks: list[Task], out: Path) -> Report:
    """What it takes to repeat the run, and to tell whether another's scores can be compared with it."""
    resolved = yaml.safe_load((out / "config.yaml").read_text(encoding="utf-8"))
    files = {task.name: digest(sorted(fingerprints([task]).values())) for task in tasks}
    return {
        "learn": config.stream.learn,
        "setting": setting(resolved, [task.name for task in tasks], files),
        "versions": checkpoint.versions(),
        "commit": commit(),
        "machine": machine(strategy.device),
        "threads": torch.get_num_threads(),
        "date": datetime.now(UTC).date().isoformat(),
    }
