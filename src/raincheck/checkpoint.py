"""The state of a run between two experiences: written whole or not at all, read without running code."""

import pickle
import warnings
from collections import Counter, OrderedDict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np
import torch
from torch import Tensor, nn

from raincheck.errors import ConfigError, first_line
from raincheck.files import replace_file

# Types that torch reads without running code; with them NumPy's, except for arrays of objects.
CONTAINERS = (dict, OrderedDict, Counter, list, tuple, set, frozenset)
LEAVES = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    Tensor,
    nn.Parameter,
    torch.dtype,
    torch.device,
    torch.Size,
)
NUMPY: list[Any] = [np.ndarray, np.dtype, frozenset, np.zeros(1).__reduce__()[0], np.float64(0).__reduce__()[0]]
NUMPY += [getattr(np.dtypes, name) for name in np.dtypes.__all__ if name not in ("ObjectDType", "VoidDType")]
PACKAGES = ("raincheck", "torch", "lightning", "avalanche-lib", "kornia", "numpy")
FORMAT = "3"  # of checkpoints: another one whenever they hold something else


@cache  # reading a package's metadata takes milliseconds, and checkpoints may come with every step
def versions() -> dict[str, str]:
    """Versions of the packages that decide a run's bits."""
    return {package: version(package) for package in PACKAGES}


def _writer() -> dict[str, str]:
    return {**versions(), "checkpoint format": FORMAT}


def save(path: Path, state: dict[str, Any]) -> None:
    """Writes a checkpoint (see `foreign`) whole or not at all, with the versions of what wrote it.

    Raises:
        OutputError: if it cannot be written; an older checkpoint at `path` is intact then.
    """
    replace_file(path, lambda partial: torch.save({**state, "versions": _writer()}, partial))


def load(path: Path) -> dict[str, Any] | None:
    """Reads a checkpoint, None if there is none. Code in it can't run: only tensors and primitives are read.

    Raises:
        ConfigError: if it is unreadable, or other package versions wrote it.
    """
    if not path.exists():
        return None
    try:
        check_sums(path)
        with torch.serialization.safe_globals(NUMPY), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, of pickles that it did not write
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            wrote = dict(state["versions"])
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, LookupError, TypeError, ValueError) as error:
        # torch's own message says how to load a pickle anyway, which would run its code.
        refused = isinstance(error, pickle.UnpicklingError)
        why = "it is damaged, or holds more than tensors and primitives" if refused else first_line(error)
        raise ConfigError(f"the checkpoint {path} cannot be read ({why}); delete it to start over") from None
    differ = [f"{k} {wrote.get(k)} then, {v} now" for k, v in _writer().items() if wrote.get(k) != v]
    if differ:
        raise ConfigError(
            f"the checkpoint {path} was written by other package versions ({'; '.join(differ)}); install those, or "
            "choose another folder"
        )
    return state


def check_sums(path: Path) -> None:
    """Compares the parts of a checkpoint with their checksums, which torch writes and does not read.

    Raises:
        UnpicklingError: if they differ, or it is no file of torch's.
    """
    try:
        with ZipFile(path) as file:
            whole = all(part.compress_type == ZIP_STORED for part in file.infolist()) and file.testzip() is None
    except BadZipFile:
        whole = False
    if not whole:
        raise pickle.UnpicklingError


def foreign(value: Any) -> type | None:
    """The first type found in a state that `load` would refuse to read; None if it would read all of it."""
    if type(value) in CONTAINERS:
        inner = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        return next((found for one in inner if (found := foreign(one))), None)
    array = isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind not in "OV"
    return None if array or type(value) in LEAVES else type(value)
