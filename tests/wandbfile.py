"""Reads the file of an offline W&B run: records of `wandb.proto` in a log of LevelDB's format."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

from program import PATIENCE

HEADER, BLOCK = 7, 2**15  # bytes: of the file and of each piece; pieces do not cross blocks
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def records(folder: Path, seconds: float = PATIENCE) -> list[Record]:
    """All records of a folder `offline-run-...`, in order.

    W&B's service writes the end of the file after `finish` has returned; this waits for it.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = [record for path in folder.glob("*.wandb") for record in whole(path.read_bytes())]
        if any(record.HasField("exit") for record in found):
            return found
        assert time.monotonic() < deadline, f"{folder} has no end"
        time.sleep(0.05)


def whole(content: bytes) -> Iterator[Record]:
    """Puts pieces together."""
    assert content[:4] in (b":W&B", b"")
    parts = b""
    for kind, piece in pieces(content):
        parts = piece if kind in (FULL, FIRST) else parts + piece
        if kind in (FULL, LAST):
            yield Record.FromString(parts)


def pieces(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and bytes of each piece; a process that was killed may have left the last one unfinished."""
    at = HEADER
    while at + 7 <= len(content):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        size, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        if kind == 0 or at + 7 + size > len(content):
            return
        yield kind, content[at + 7 : at + 7 + size]
        at += 7 + size


def history(folder: Path) -> list[dict[str, Any]]:
    """What was logged, row by row."""
    rows: list[dict[str, Any]] = []
    for record in records(folder):
        items = []
        if record.HasField("history"):
            items = record.history.item
        elif record.HasField("request") and record.request.HasField("partial_history"):
            items = record.request.partial_history.item
        if items:
            rows.append({item.key or "/".join(item.nested_key): value(item) for item in items})
    return rows


def value(item: Any) -> Any:
    """The value of an item, which is JSON unless it is one of the typed kinds."""
    kind = item.WhichOneof("value")
    if kind is None:
        return json.loads(item.value_json)
    found = getattr(item, kind)
    return json.loads(found) if kind == "json" else found
