"""A run's folder belongs to the run: to its configuration, and to the data that it was begun with."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    if fresh:
        refuse_others(out, "run")
        write_text(path, config)
    else:
        same_settings(out, config)
    try:
        yield
    except RaincheckError:
        if fresh and not any((out / "checkpoints").glob("*.ckpt")):
            path.unlink()
            (out / "best.safetensors").unlink(missing_ok=True)
            for made in ("checkpoints", "logs", "wandb", "frames", "trainer"):
                shutil.rmtree(out / made, ignore_errors=True)
        raise


def same_settings(out: Path, config: str) -> None:
    """Compares a dumped configuration with that of the run in a folder.

    Raises:
        ConfigError: if they differ in more than `FREE`, or the folder's cannot be read.
    """
    path = out / "config.yaml"
    kept(path, yaml.safe_load)
    if differ := differences(path.read_text(encoding="utf-8"), config):
        raise ConfigError(f"{out} holds a run with other settings: {', '.join(differ[:5])}; choose another --out")


def kept(path: Path, read: Callable[[str], Any], key: str | None = None) -> dict[str, Any]:
    """What a file holds that a run has written about itself.

    Args:
        path: the file.
        read: makes its text a mapping, such as `json.loads`.
        key: that the mapping has.

    Raises:
        ConfigError: if it holds something else.
    """
    try:
        content = read(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError, RecursionError):
        content = None
    if not isinstance(content, dict) or (key is not None and key not in content):
        raise ConfigError(f"{path} is damaged; put it back as the run wrote it, or choose another --out")
    return content


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
    now = fingerprints([*tasks, *begun_with])
    before = _remembered(out)
    _refuse_changed(out, now if before is None else before, now)
    return now


def same_data_left(out: Path) -> None:
    """The same for a finished run, of whose data nothing need be there any more.

    Raises:
        ConfigError: if what is there is other than it was.
    """
    before = _remembered(out) or {}
    now = fingerprints(path for path in map(Path, before) if path.exists())
    _refuse_changed(out, {path: before[path] for path in now}, now)


def _remembered(out: Path) -> Fingerprints | None:
    path = out / "checkpoints" / "data.json"
    return kept(path, json.loads) if path.exists() else None


def _refuse_changed(out: Path, before: Fingerprints, now: Fingerprints) -> None:
    if differ := changed(before, now):
        more = f" and {len(differ) - 1} more" if differ[1:] else ""
        raise ConfigError(f"{out} was begun with other data: {differ[0]}{more} changed since; choose another --out")


def remember_data(out: Path, data: Fingerprints) -> None:
    """Keeps what `same_data` will compare."""
    (out / "checkpoints").mkdir(exist_ok=True)
    write_text(out / "checkpoints" / "data.json", json.dumps(data, indent=1))
