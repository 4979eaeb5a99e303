"""A set that `raincheck data render` wrote: rendered rain over clean video, laid out like NTURain.

    Dataset_Training_Rendered/<clip>_Rain_{01,02,...}/%05d.png     clean: <clip>_GT, shared by the variants
    Dataset_Testing_Rendered/<clip>_Rain_{01,02,...}/%05d.png      likewise

request.json beside them says what was asked for, and manifest.json, written last, what rain each video shows. Frames
may be .jpg as well.
"""

from pathlib import Path
from typing import ClassVar

from raincheck.datasets.layout import Forms, Split
from raincheck.datasets.published import PublishedPairs

CLAIM, MANIFEST = "request.json", "manifest.json"
FOLDERS = {"train": "Dataset_Training_Rendered", "test": "Dataset_Testing_Rendered"}


class RenderedSet(PublishedPairs):
    """A rendered set: one rain type, or the mixture that it was rendered with."""

    title = "Rendered set"

    forms: ClassVar[Forms] = {
        "": tuple(
            Split(name, rf"{folder}/([^.].*)_Rain_\d+", [rf"{folder}/\1_GT"], first=1)
            for name, folder in FOLDERS.items()
        )
    }

    @classmethod
    def unfinished(cls, place: Path) -> str | None:
        """A set that was begun, and lacks what is written last."""
        if (place / MANIFEST).exists() or not (place / CLAIM).exists():
            return None
        return "the set is not finished; go on with the same raincheck data render command"
