"""Removes rain from a file or a webcam with onnxruntime alone: no torch, no raincheck.

    raincheck export --weights rrgnet --format onnx --out rrgnet.onnx
    python onnx_webcam_or_file.py rrgnet.onnx rainy.mp4 derained.mp4
    python onnx_webcam_or_file.py rrgnet.onnx /dev/video0 derained.mkv      # Linux; Ctrl-C ends it

Needs onnxruntime, numpy and av. Height and width must be even; sound and rotation are not copied.
"""

import sys
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice

import av
import numpy as np
import onnxruntime


def with_reflected_ends(frames: Iterator[np.ndarray], radius: int) -> Iterator[np.ndarray]:
    """Puts `radius` mirrored frames before the first and behind the last, so that every frame is a window's centre."""
    head, tail = list(islice(frames, radius + 1)), deque(maxlen=radius + 1)
    mirrored = (head[:0:-1] or head) * radius  # more than enough, also of a film that is shorter than a window
    yield from mirrored[len(mirrored) - radius :]
    for frame in chain(head, frames):
        tail.append(frame)
        yield frame
    yield from ((list(tail)[-2::-1] or list(tail)) * radius)[:radius]


def main(model: str, source: str, output: str) -> None:
    """Derains `source` into `output`, a frame at a time."""
    session = onnxruntime.InferenceSession(model)
    size = session.get_inputs()[0].shape[1]  # (batch, window, 3, height, width)
    with av.open(source, format="v4l2" if source.startswith("/dev/") else None) as video, av.open(output, "w") as file:
        rainy = video.streams.video[0]
        track = file.add_stream("libx264", rate=rainy.average_rate or 25, options={"crf": "18"})
        track.width, track.height, track.pix_fmt = rainy.width, rainy.height, "yuv420p"
        frames = (frame.to_ndarray(format="rgb24").transpose(2, 0, 1) for frame in video.decode(rainy))
        window = deque(maxlen=size)
        try:
            for frame in with_reflected_ends(frames, size // 2):
                window.append(frame.astype(np.float32) / 255)
                if len(window) == size:
                    derained = session.run(None, {"clip": np.stack(window)[None]})[0][0]
                    pixels = np.ascontiguousarray((255 * derained).round().astype(np.uint8).transpose(1, 2, 0))
                    file.mux(track.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        except KeyboardInterrupt:  # how a webcam's film ends
            pass
        file.mux(track.encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
