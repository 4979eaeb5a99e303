"""The mean of several passes' weights, scored on the test clips of a run's configuration.

Passes that begin with each other's weights end in one valley of the loss, so that their mean is a network too ("model
soups", Wortsman et al., arXiv 2203.05482). Writes OUT/weights.safetensors and OUT/scores.json, and prints the scores.

    python experiments/weights_average.py WEIGHTS [WEIGHTS ...] --out FOLDER --config FILE [--config FILE ...]

WEIGHTS are names of shipped weights, safetensors files or runs' folders; FILE is as for `raincheck run`.
"""

import argparse
import json
from pathlib import Path
from statistics import fmean

import torch

from raincheck.config import RunConfig, build, parse
from raincheck.networks.base import ClipNetwork
from raincheck.networks.weights import load_network, save_weights, start_from
from raincheck.run import untrained
from raincheck.running.assembly import make_strategy, make_stream
from raincheck.tracking import tracked


def average(paths: list[str]) -> ClipNetwork:
    """The first file's network with the mean of all files' weights."""
    networks = [load_network(path) for path in paths]
    states = [network.state_dict() for network in networks]
    mean = {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
    networks[0].load_state_dict(mean)
    return networks[0]


def scores(config: RunConfig, out: Path) -> dict[str, dict[str, float | None]]:
    """The network's scores on the test clips of every task, by metric and task, as a run's first row of R."""
    tasks = [source.task(config.seed) for source in config.stream.tasks]
    names = [task.name for task in tasks]
    with tracked("none", out, {}) as tracker:
        matrices = untrained(make_strategy(config, out, tracker), make_stream(config, tasks))
    return {metric: dict(zip(names, matrix.rows[0], strict=True)) for metric, matrix in matrices.items()}


def main() -> None:
    """Averages, scores, writes."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("weights", nargs="+", help="names, safetensors files or runs' folders")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--config", action="append", required=True, help="a run's configuration; may be given again")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    weights = options.out / "weights.safetensors"
    save_weights(average(options.weights), weights, {"method": "rrgnet", "mean": str(len(options.weights))})
    config = build(parse([word for file in options.config for word in ("--config", file)]))
    start_from(config.network, weights)
    found = scores(config, options.out)
    (options.out / "scores.json").write_text(json.dumps(found, indent=1) + "\n")
    known = {task: score for task, score in found["psnr_y"].items() if score is not None}
    print(*(f"{task} {score:.2f}" for task, score in known.items()), f"mean {fmean(known.values()):.2f} dB", sep=", ")


if __name__ == "__main__":
    main()
