"""The program of a process in which decord decodes, so that it can be killed: requests come in, frames go out.

A request is a line of JSON: the `path` of a video, the first frame and the number of frames (`start`, `count`), and the
seconds after which the process ends itself (`patience`). An answer is a line of JSON: `error`, or `length` of the video
in frames and `shape` `(t, h, w, c)` of the wanted ones, whose bytes follow.

Nothing of raincheck is imported, so that the process starts quickly and stays small.
"""

import faulthandler
import json
import os
import signal
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

KEPT = 8  # videos that stay open: each holds an index and a decoder


def main() -> None:
    """Answers requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks, whose end ends this one
    videos: OrderedDict[str, Any] = OrderedDict()
    with os.fdopen(os.dup(1), "wb", buffering=0) as answers, Path(os.devnull).open("w") as nowhere:
        os.dup2(2, 1)  # what decord or FFmpeg print must not come between the answers
        for line in sys.stdin.buffer:
            request = json.loads(line)
            # A thread that needs no lock of Python's ends the process, wherever decord is stuck.
            faulthandler.dump_traceback_later(request.pop("patience"), exit=True, file=nowhere)
            header, pixels = answer(videos, **request)
            faulthandler.cancel_dump_traceback_later()
            for part in (memoryview(json.dumps(header).encode() + b"\n"), pixels):
                while part:
                    part = part[answers.write(part) :]
    os._exit(0)  # a reader that is open when an interpreter ends crashes it


def answer(videos: "OrderedDict[str, Any]", path: str, start: int, count: int) -> tuple[dict[str, Any], memoryview]:
    """The header and the bytes of frames of a video.

    Args:
        videos: those that are open, by path, the one used last at the end.
        path: of the video.
        start: the first frame.
        count: how many.
    """
    try:
        import decord
    except (ImportError, OSError) as error:
        return {"error": str(error)}, memoryview(b"")
    decord.logging.set_level(decord.logging.QUIET)
    try:
        video = videos.pop(path) if path in videos else decord.VideoReader(path, num_threads=1)
        # .asnumpy() leaves decord's bridge alone, which is global.
        frames = video.get_batch(range(start, start + count)).asnumpy()
    except (decord.DECORDError, decord.DECORDLimitReachedError, RuntimeError, ValueError, LookupError) as error:
        return {"error": str(error)}, memoryview(b"")
    videos[path] = video
    while len(videos) > KEPT:
        videos.popitem(last=False)
    return {"length": len(video), "shape": frames.shape}, memoryview(frames).cast("B")


if __name__ == "__main__":
    main()
