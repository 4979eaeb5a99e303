"""Raw frames as other programs pipe them: rgb24, one after the other, nothing between."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from raincheck.errors import InputError


def raw_frames(file: BinaryIO, width: int, height: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Yields arrays `(h, w, 3)` until the file ends.

    Raises:
        InputError: if it ends within a frame, or holds none.
    """
    bytes_each, done = 3 * width * height, 0
    while content := file.read(bytes_each):
        if len(content) < bytes_each:
            raise InputError(
                f"the raw video ends {len(content)} bytes into frame {done} of {bytes_each} bytes; check --size "
                f"{width}x{height} and the pixel format rgb24"
            )
        yield np.frombuffer(content, np.uint8).reshape(height, width, 3)
        done += 1
    if done == 0:
        raise InputError("there are no raw frames on standard input; pipe rgb24 video into raincheck")
