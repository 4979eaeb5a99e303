"""An output of single images, written by Pillow."""

import warnings
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from raincheck.errors import RaincheckWarning
from raincheck.video.images.besides import PLAIN, read_besides, write_image
from raincheck.video.writing.output import cannot


class FolderWriter:
    """Writes one image a frame.

    Args:
        folder: an existing empty folder.
        names: file names of the frames; None numbers them `00001.png`, `00002.png`, ...
        shown: what errors call the output.
        originals: the images of which the frames were made; what these hold besides their pixels is kept.
    """

    def __init__(self, folder: Path, names: list[str] | None, shown: Path, originals: list[Path] | None = None) -> None:
        self.folder, self.names, self.shown, self.done = folder, names, shown, 0
        self.originals = originals
        self.told: set[str] = set()  # what was not kept

    def write(self, frame: Tensor, time: Fraction | None = None, lasts: Fraction | None = None) -> None:
        """Adds a frame, uint8 `(c, h, w)` RGB; images have no time.

        Raises:
            OutputError: if it cannot be written.
            InputError: if its original cannot be read.
        """
        name = f"{self.done + 1:05d}.png" if self.names is None else self.names[self.done]
        besides = PLAIN if self.originals is None else read_besides(self.originals[self.done])
        self.tell(besides.lost(Path(name).suffix))
        try:
            write_image(frame, self.folder / name, besides)
        except OSError as error:
            raise cannot(self.shown, error) from None
        self.done += 1

    def tell(self, lost: list[str]) -> None:
        """Says what of an original is not kept, once of each kind."""
        new = [name for name in lost if name not in self.told]
        self.told.update(new)
        if new and self.originals is not None:
            notice = f"{self.shown} does not keep the {' and the '.join(new)} of {self.originals[self.done]}"
            warnings.warn(notice, RaincheckWarning, stacklevel=4)
