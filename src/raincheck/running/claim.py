"""A run's folder belongs to the run: to its configuration, and to the data that it was begun with."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from raincheck.datasets.base import Task
from raincheck.errors import ConfigError, RaincheckError
from raincheck.files import refuse_others, write_text
from raincheck.fingerprint import Fingerprints, changed, fingerprints
from raincheck.networks import find_weights
from raincheck.running.identity import FREE, flat


@contextmanager
def claimed(out: Path, config: str) -> Iterator[None]:
    """Writes the configuration into an empty folder, or checks that the folder's run is this one.

    A mistake of the user's that shows before the first task is learned leaves an empty folder empty, so that the
    corrected configuration fits in.
    """
    path = out / "config.yaml"
    fresh = not path.exists()
    if not fresh:
        if differ := differences(path.read_text(encoding="utf-8"), config):
            raise ConfigError(f"{out} holds a run with other settings: {', '.join(differ[:5])}; choose another --out")
    else:
        refuse_others(out, "run")
        write_text(path, config)
    try:
        yield
    except RaincheckError:
        if fresh and not any((out / "checkpoints").glob("*.ckpt")):
            path.unlink()
            (out / "best.safetensors").unlink(missing_ok=True)
            for made in ("checkpoints", "logs", "wandb", "frames", "trainer"):
                shutil.rmtree(out / made, ignore_errors=True)
        raise


def differences(before: str, now: str) -> list[str]:
    """Which options differ between two dumped configurations, those that change no number left out."""
    old, new = dict(flat(yaml.safe_load(before))), dict(flat(yaml.safe_load(now)))
    return [
        f"{key} ({old.get(key, 'unset')} then, {new.get(key, 'unset')} now)"
        for key in sorted(old | new)
        if old.get(key) != new.get(key) and not key.startswith(FREE)
    ]


def same_data(out: Path, tasks: Sequence[Task], weights: str | None) -> Fingerprints:
    """What the files look like that a run comes from: those of all tasks, and the weights it began with.

    Args:
        out: the run's folder.
        tasks: with the files of their videos.
        weights: as the configuration names them.

    Raises:
        ConfigError: if the run was begun with others.
    """
    begun_with = [] if weights in (None, "identity") else [find_weights(weights)]
    now, path = fingerprints([*tasks, *begun_with]), out / "checkpoints" / "data.json"
    if path.exists() and (differ := changed(json.loads(path.read_text(encoding="utf-8")), now)):
        more = f" and {len(differ) - 1} more" if differ[1:] else ""
        raise ConfigError(f"{out} was begun with other data: {differ[0]}{more} changed since; choose another --out")
    return now


def remember_data(out: Path, data: Fingerprints) -> None:
    """Keeps what `same_data` will compare."""
    (out / "checkpoints").mkdir(exist_ok=True)
    write_text(out / "checkpoints" / "data.json", json.dumps(data, indent=1))
