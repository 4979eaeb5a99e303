"""A decord that fails, in the process in which it decodes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from program import PATIENCE
from raincheck.video.access import decord_reader

# What Python runs first in the helper: frame 10 of every video is what decord fails on.
FAILS_AT_10 = """
import ctypes, os
import decord
get_batch = decord.VideoReader.get_batch
def fail(self, indices):
    if 10 in indices:
        {how}
    return get_batch(self, indices)
decord.VideoReader.get_batch = fail
"""
STUCK = "ctypes.PyDLL(None).pause()"  # in C, with Python's lock


def fails_at_10(monkeypatch: pytest.MonkeyPatch, folder: Path, how: str) -> None:
    """Has every helper that starts from here on fail so, and, where it is stuck, be given a second.

    Every other answer may take as long as the machine makes it take.
    """
    (folder / "first").mkdir()
    (folder / "first" / "sitecustomize.py").write_text(FAILS_AT_10.format(how=how))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "first"), os.environ.get("PYTHONPATH", "")]))
    ask: Callable[..., Any] = decord_reader.Helper.ask

    def limited(helper: decord_reader.Helper, path: str, start: int, count: int) -> Any:
        stuck = how == STUCK and start <= 10 < start + count
        monkeypatch.setattr(decord_reader, "PATIENCE", 1.0 if stuck else PATIENCE)
        return ask(helper, path, start, count)

    monkeypatch.setattr(decord_reader.Helper, "ask", limited)
