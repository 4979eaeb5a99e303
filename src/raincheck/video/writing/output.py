"""Where a derained video may be written: checks that come before any work, and what is said if it fails after all."""

import os
from pathlib import Path

import av

from raincheck.errors import OutputError, remedy
from raincheck.targets import check_place
from raincheck.video.images.listing import SUFFIXES as IMAGE_SUFFIXES
from raincheck.video.reading.intact import HEIF_SUFFIXES, heif
from raincheck.video.writing.partial import partial_of

# Suffix to FFmpeg's name of the container.
CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".avi": "avi",
}


def is_video(output: Path) -> bool:
    """Whether the name asks for one video file; otherwise it asks for a folder of frames."""
    return output.suffix.lower() in CONTAINERS


def is_image(output: Path) -> bool:
    """Whether the name asks for one image."""
    return output.suffix.lower() in IMAGE_SUFFIXES


def check_kind(output: Path, source: Path | None = None) -> None:
    """Refuses the name of a file of a kind that is not written.

    A folder may have a dot in its name where it is there, where no kind of files ends so, as in v1.2, and where frames
    become frames, unless FFmpeg writes or reads files that end so.

    Raises:
        OutputError: saying which kinds are.
    """
    ending, frames = output.suffix[1:], source is not None and source.is_dir()
    named_alike = source is not None and frames and source.resolve().name == output.name
    a_file = ending.lower() in file_endings() if frames else ending.isalnum() and not ending.isdecimal()
    if a_file and not (is_video(output) or is_image(output) or output.is_dir() or named_alike):
        known = [*CONTAINERS, *(sorted(IMAGE_SUFFIXES) if source is not None and is_image(source) else ())]
        raise OutputError(
            f"cannot write {output}: .{ending} is not written; name a {', '.join(known)} file, or a folder without an "
            "ending"
        )


def file_endings() -> set[str]:
    """How the names of files end that FFmpeg knows, without the dot."""
    return {ending for name in av.formats_available for ending in av.ContainerFormat(name).extensions}


def check_output(output: str | Path, source: Path | None = None, overwrite: bool = False) -> Path:
    """Refuses an output that cannot or must not be written; writes nothing itself.

    Args:
        output: a video file or an image by its suffix, else a folder of frames.
        source: the input, which must not be overwritten.
        overwrite: allow the replacement of a folder that holds frames. A file is always replaced.

    Returns:
        The output with symbolic links followed, so that what they point to is replaced, and not the links.

    Raises:
        OutputError: saying what is in the way.
        InputError: if the input is a picture of a kind that is not read.
    """
    named = Path(output)
    output = Path(os.path.realpath(named))  # which gets over links that go in circles
    if source is not None and source.suffix.lower() in HEIF_SUFFIXES:
        raise heif(source)
    if is_image(output) and (source is None or not is_image(source)):
        raise OutputError(
            f"cannot write {named}: one image holds no video; name a {', '.join(CONTAINERS)} file or a folder"
        )
    check_kind(named, source)
    if source is not None:
        check_apart(output, Path(os.path.realpath(source)), named)
    files = is_video(output) or is_image(output)
    parent = output if output.is_dir() and not files else output.parent
    if not parent.is_dir():
        raise OutputError(f"cannot write {named}: there is no folder {parent}; create it first")
    check_place(parent, named)
    if files:
        if output.is_dir():
            raise OutputError(f"cannot write {named}: it is a folder; give the name of a file")
    elif output.is_dir():
        check_replaceable(output, named, overwrite)
    elif output.exists():
        raise OutputError(
            f"cannot write {named}: it is a file; name a folder, or a {', '.join(CONTAINERS)} file for a video"
        )
    return output


def check_apart(output: Path, source: Path, named: Path) -> None:
    """Refuses an output that equals, is inside, or holds the input.

    Raises:
        OutputError: saying which.
    """
    if output == source or (output.is_file() and source.is_file() and output.samefile(source)):
        raise OutputError(f"cannot write {named}: it is the input itself; choose another name")
    if source in output.parents:
        raise OutputError(f"cannot write {named}: it is inside the input {source}; choose a place outside")
    if output in source.parents:
        raise OutputError(f"cannot write {named}: the input {source} is inside it; choose another folder")


def check_replaceable(folder: Path, named: Path, overwrite: bool) -> None:
    """Refuses a folder that is not empty, unless it may be replaced and holds nothing but frames.

    Raises:
        OutputError: if it must not be replaced.
    """
    try:
        inside = [path for path in folder.iterdir() if path != partial_of(folder)]  # left by a process that was killed
    except OSError as error:
        raise OutputError(f"cannot write {named}: {error.strerror}; choose another folder") from None
    if inside and not overwrite:
        raise OutputError(
            f"cannot write {named}: the folder is not empty; empty it, choose another, or use --overwrite"
        )
    others = [p for p in inside if p.is_dir() or p.suffix.lower() not in IMAGE_SUFFIXES]
    if others:  # a mistyped name must not cost someone a home folder
        raise OutputError(
            f"cannot replace {named}: it holds {others[0].name}, which is not a frame; choose another folder"
        )


def cannot(output: Path, error: Exception) -> OutputError:
    """One sentence about a failed write."""
    reason = getattr(error, "strerror", None) or error
    advice = remedy(error, "choose a writable place with free space")
    return OutputError(f"cannot write {output}: {reason}; {advice}")
