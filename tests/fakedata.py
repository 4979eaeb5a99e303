"""The fake data sets of tests/data, found by existing: a folder a published data set, with `write(root)` in data.py."""

import runpy
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent / "data"
WRITE: dict[str, Callable[..., None]] = {
    path.parent.name: runpy.run_path(str(path))["write"] for path in sorted(FOLDER.glob("*/data.py"))
}
