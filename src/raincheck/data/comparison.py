"""Finds what differs between a data set on disk and the published one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from raincheck.data.findings import Finding, Kind, SplitReport
from raincheck.data.looking import Looker, Seen
from raincheck.datasets.folder import VIDEO_SUFFIXES
from raincheck.datasets.layout import Pair, Source, Split
from raincheck.datasets.opening import common
from raincheck.datasets.search import listing
from raincheck.video.images.listing import natural


def compare(split: Split, base: Path, looker: Looker) -> SplitReport:
    """Compares a split below `base` with what was published.

    Raises:
        InputError: if a folder cannot be read.
    """
    found = split.find(base)
    twins = {pair.clean for pair in found if pair.clean is not None and pair.clean.path.exists()}
    # A rainy video was found, so a link to nothing is broken.
    looker.look([s for pair in found for s in (pair.rainy, pair.clean) if s is pair.rainy or s in twins])
    seen = looker.seen
    empty = split.published_empty(found)
    pairs = [pair for pair in found if pair not in empty]
    findings = [
        *([Finding(Kind.REMARK, split.remark)] if split.remark and pairs else []),
        *(Finding(Kind.EMPTY, pair.name) for pair in empty),
        *compare_names(split, [pair.name for pair in pairs]),
        *(Finding(Kind.DRY, path.name) for path in clean_alone(split, base)),
        *(finding for pair in pairs for finding in compare_pair(split, pair, base, seen)),
        *other_files(pairs, seen),
    ]
    sizes = sum((seen[pair.rainy].sizes for pair in pairs), Counter[tuple[int, int]]())
    return SplitReport(split, len(pairs), sum(seen[pair.rainy].length for pair in pairs), sizes, findings)


def compare_names(split: Split, names: Sequence[str]) -> Iterator[Finding]:
    """Videos that are missing, that were not published, or whose name another has."""
    yield from (Finding(Kind.REPEATED, f"{count} x {name}") for name, count in Counter(names).items() if count > 1)
    if split.names:
        yield from (Finding(Kind.ABSENT, name) for name in split.names if name not in names)
        yield from (Finding(Kind.SURPLUS, name) for name in names if name not in split.names)
    elif split.clips is not None and len(names) != split.clips:
        kind = Kind.ABSENT if len(names) < split.clips else Kind.SURPLUS
        yield Finding(kind, f"{len(names)} videos, where {split.clips} were published")
    elif not names:
        yield Finding(Kind.ABSENT, "all")


def clean_alone(split: Split, base: Path) -> list[Path]:
    """What lies among the clean videos and belongs to no pair, where these have a folder of their own."""
    pairs = replace(split, among=slice(None)).find(base)  # another split may lie in the same folders
    twins = {pair.clean.path for pair in pairs if pair.clean is not None}
    folders = {twin.parent for twin in twins} - {pair.rainy.path.parent for pair in pairs}
    there = (path for folder in sorted(folders) for path in sorted(listing(folder), key=natural))
    return [path for path in there if path not in twins and (path.is_dir() or path.suffix.lower() in VIDEO_SUFFIXES)]


def compare_pair(split: Split, pair: Pair, base: Path, seen: Mapping[Source, Seen]) -> Iterator[Finding]:
    """What is wrong with a video, with its clean twin, or between the two."""
    rainy = seen[pair.rainy]
    sources = [source for source in (pair.rainy, pair.clean) if source is not None and source in seen]
    broken = [item for source in sources for item in seen[source].unreadable.items()]
    yield from (Finding(Kind.BROKEN, f"{path.relative_to(base)} {reason}") for path, reason in broken)
    if not rainy.length:
        if not rainy.unreadable:
            yield Finding(Kind.HOLLOW, pair.name)
        return
    yield from compare_length(split, pair.name, rainy)
    if split.size is not None and set(rainy.sizes) - {split.size}:
        yield Finding(Kind.RESIZED, f"{pair.name} ({shown(rainy.sizes)}, published {shown([split.size])})")
    if pair.clean is not None and pair.clean not in seen:
        yield Finding(Kind.ALONE, f"{pair.name} (nothing is at {pair.clean.path.relative_to(base)})")
    elif pair.clean is not None and (seen[pair.clean].length or not seen[pair.clean].unreadable):
        yield from compare_twins(split, pair.name, rainy, seen[pair.clean])


def compare_length(split: Split, name: str, rainy: Seen) -> Iterator[Finding]:
    """Frames that are missing or too many, by their numbers where these are known."""
    length, numbers = split.length(name), [number for number in rainy.numbers if number is not None]
    if length is not None and (split.first is None or not numbers):
        if rainy.length != length:
            kind = Kind.SHORT if rainy.length < length else Kind.LONG
            yield Finding(kind, f"{name} ({rainy.length} frames, published {length})")
        return
    if not numbers:
        return
    first = min(numbers) if split.first is None else split.first
    last = max(numbers) if length is None else first + length - 1
    expected = Counter(range(first, last + 1))
    if missing := expected - Counter(numbers):
        yield Finding(Kind.SHORT, f"{name} ({listed(missing)})")
    if extra := Counter(numbers) - expected:
        yield Finding(Kind.LONG, f"{name} ({listed(extra)})")


def compare_twins(split: Split, name: str, rainy: Seen, clean: Seen) -> Iterator[Finding]:
    """Frames that have no twin, and sizes that differ."""
    if rainy.length != clean.length or rainy.numbers != clean.numbers:
        numbers = Counter(rainy.numbers), Counter(clean.numbers)
        differ = [*unlike("clean", numbers[1], numbers[0]), *unlike("rainy", *numbers)]
        yield Finding(Kind.UNMATCHED, f"{name} ({'; '.join(differ) or f'{rainy.length} rainy, {clean.length} clean'})")
    sizes = set(rainy.sizes) | set(clean.sizes)
    if len(sizes) < 2:
        return
    if common(sizes, split.slack) is not None:
        kind = Kind.SLACK
    else:
        kind = Kind.UNEQUAL if len(rainy.sizes) < 2 and len(clean.sizes) < 2 else Kind.VARYING
    yield Finding(kind, f"{name} (rainy {shown(rainy.sizes)}, clean {shown(clean.sizes)})")


def unlike(kind: str, own: Counter[int | None], other: Counter[int | None]) -> Iterator[str]:
    """What a video lacks of its twin's frames, and which it has more often, by their numbers."""
    if missing := {number for number in other - own if number is None or number not in own}:
        yield f"{kind} lacks {listed(missing)}"
    if repeated := {number for number in own - other if number is not None and number in other}:
        yield f"{kind} repeats {listed(repeated)}"


def other_files(pairs: Sequence[Pair], seen: Mapping[Source, Seen]) -> Iterator[Finding]:
    """Thumbs.db, .DS_Store and the like, by name."""
    sources = {source for pair in pairs for source in (pair.rainy, pair.clean) if source is not None}
    names = Counter(name for source in sources & seen.keys() for name in seen[source].other)
    yield from (Finding(Kind.OTHER, f"{count} x {name}") for name, count in names.most_common())


def shown(sizes: Sequence[tuple[int, int]] | Counter[tuple[int, int]]) -> str:
    """Sizes as width x height, such as `640x480, 640x360`."""
    return ", ".join(f"{width}x{height}" for height, width in sorted(sizes, reverse=True)) or "none"


def listed(numbers: Iterable[int | None]) -> str:
    """Frame numbers for a message, the first five of many."""
    known = [str(number) for number in sorted(n for n in numbers if n is not None)]
    rest = f" and {len(known) - 5} more" if len(known) > 5 else ""
    return f"frame {', '.join(known[:5])}{rest}" if known else "frames without number"
