"""What can differ between a data set on disk and the published one, and what that means for a score."""

from collections import Counter
from dataclasses import dataclass
from enum import Enum

from raincheck.datasets.layout import Split


class Kind(Enum):
    """A kind of difference: what it is, what it means for a score, and whether it is a fault."""

    ABSENT = "videos missing", "a part of the data set: its means do not stand beside published ones", False
    SURPLUS = "videos too many", "means are over videos that nobody else scored; move them away", True
    REPEATED = "videos of one name", "the reader refuses the data set; take all but one out", True
    SHORT = "frames missing", "the mean is over fewer frames, and windows jump over the gaps; copy it again", True
    LONG = "frames too many", "frames that nobody else scored, or copies, which shift windows; remove them", True
    HOLLOW = "no frames", "the reader refuses the data set; copy the videos again", True
    EMPTY = "empty folder", "none: published so, and left out by the reader", False
    ALONE = "no clean twin", "the reader refuses the data set; add the twins", True
    DRY = (
        "clean videos without a rainy one",
        "rainy videos may be missing; without them the clean ones are not used",
        False,
    )
    UNMATCHED = "frames without twin", "the reader refuses the pair: its frames would be scored against others", True
    BROKEN = "unreadable", "a run breaks off there; copy the files again", True
    VARYING = "sizes vary within a video", "the reader refuses the video; copy it again", True
    UNEQUAL = "rainy and clean sizes differ", "the reader refuses the pair; one of the two was resized", True
    SLACK = "sizes differ a little", "both are cut to what they share, which the run's report says", False
    UNFINISHED = (
        "not finished",
        "the reader refuses the data set; go on with the same raincheck data render command",
        True,
    )
    RESIZED = "not the published size", "scores of resized frames do not stand beside published ones", True
    OTHER = "other files among the frames", "none: they are ignored", False
    REMARK = "remark", "see there", False

    def __init__(self, what: str, meaning: str, fault: bool) -> None:
        self.what, self.meaning, self.fault = what, meaning, fault


@dataclass(frozen=True)
class Finding:
    """One difference, and where it is."""

    kind: Kind
    where: str


@dataclass(frozen=True)
class SplitReport:
    """What was found of a split.

    Attributes:
        split: as published.
        clips: videos found, without folders that were published empty.
        frames: rainy frames found.
        sizes: of the rainy frames.
        findings: differences.
    """

    split: Split
    clips: int
    frames: int
    sizes: Counter[tuple[int, int]]
    findings: list[Finding]

    @property
    def published_frames(self) -> int | None:
        """Rainy frames published in all, None if that is not known."""
        split = self.split
        lengths = [split.length(name) for name in split.names] or [split.frames] * (split.clips or 0)
        known = [length for length in lengths if length is not None]
        return sum(known) if known and len(known) == len(lengths) else None
