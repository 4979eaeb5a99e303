"""Several inputs into one folder."""

import glob
import os
import warnings
from contextlib import suppress
from pathlib import Path

from raincheck.deraining.api import Options, Video, derain
from raincheck.deraining.applicable import check_applicable
from raincheck.errors import InputError, OutputError, RaincheckWarning
from raincheck.progress import frame_counter
from raincheck.video.images.listing import entries, pictures
from raincheck.video.writing.encoders import Encoding
from raincheck.video.writing.output import CONTAINERS, check_kind, check_output, is_image, is_video
from raincheck.video.writing.partial import partial_of


def derain_files(inputs: list[str], output: Path, options: Options) -> None:
    """Derains files, one after the other; those that are done stay when a later one fails.

    Args:
        inputs: files, folders and globs.
        output: as `plan` explains.
        options: of `derain`, all of them.

    Raises:
        RaincheckError: as `plan` and `derain`.
    """
    there, overwrite = output.exists(), options["overwrite"]
    encoding = Encoding(options["crf"], options["codec"], options["pixel_format"])
    try:
        pairs = plan(inputs, output, overwrite)
        for source, target in pairs:
            check_applicable(source, target, options["fps"], encoding, overwrite)
        for source, target in pairs:
            derain_one(source, target, source.name, options)
    finally:
        if not there:
            with suppress(OSError):  # a folder that holds results, or a file
                output.rmdir()


def derain_one(video: Video, output: Path, name: str, options: Options) -> None:
    """Derains a video into an output with a progress bar of that name.

    Raises:
        RaincheckError: as `derain`.
    """
    with frame_counter(name) as progress:
        derain(video, output, **(options | {"progress": progress}))


def plan(inputs: list[str], output: Path, overwrite: bool = False) -> list[tuple[Path, Path]]:
    """Which input is derained into which output.

    One input that is no glob goes to `output` itself. Several go into a folder of that name, each under its own name;
    videos whose container we don't write become .mp4. The folder may exist if it holds nothing but such results and
    what a killed process left, so that a command can be repeated after it was interrupted. Files are derained again;
    folders of frames, which are never replaced unasked, are left out with a `RaincheckWarning` if they are there.

    Args:
        inputs: files, folders and globs.
        output: a file or folder.
        overwrite: allow a folder that holds other things; they are left alone.

    Raises:
        InputError: if an input is missing, a glob fits nothing, a folder cannot be read, or a picture is of a kind that
            is not read.
        OutputError: if two results would have one name, or the folder cannot be used.
    """
    expanded = [expand(word) for word in inputs]
    sources = [path for paths in expanded for path in paths]
    if len(inputs) == 1 and sources == [Path(inputs[0])]:
        return [(sources[0], output)]
    if is_video(output) or is_image(output):
        raise OutputError(f"cannot write {len(sources)} results to {output}: it names one file; name a folder")
    check_kind(output)
    for source in sources:
        if not source.exists():
            raise InputError(f"there is no video at {source}; give a video file or a folder of frames")
    targets = [output / result_name(source) for source in sources]
    for index, target in enumerate(targets):
        if target in targets[:index]:
            first = sources[targets.index(target)]
            raise OutputError(
                f"cannot write {target} for both {first} and {sources[index]}; derain one of them by itself"
            )
    prepare(output, {path.name for target in targets for path in (target, partial_of(target))}, overwrite)
    pairs = list(zip(sources, targets, strict=True))
    left = pairs if overwrite else [pair for pair in pairs if not is_done(*pair)]
    for source, target in left:
        check_output(target, source, overwrite)
    return left


def expand(word: str) -> list[Path]:
    """What a glob fits, in the order of names; a file that is there stands for itself, whatever its name.

    Raises:
        InputError: if it fits nothing.
    """
    if Path(word).exists() or not glob.has_magic(word):
        return [Path(word)]
    found = [Path(path) for path in sorted(glob.glob(word, recursive=True))]  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not found:
        raise InputError(f"nothing fits {word}; give a video file, a folder of frames or an image")
    return found


def result_name(source: Path) -> str:
    """The name of an input's result."""
    if source.is_dir() or source.suffix.lower() in CONTAINERS or is_image(source):
        # Of `.` and `..` the folder's name, but of a link its own, or two that lead to `rainy` would be one result.
        return Path(os.path.abspath(source)).name  # noqa: PTH100 - Path.absolute keeps `..`
    return f"{source.stem}.mp4"


def is_done(source: Path, target: Path) -> bool:
    """Whether a folder holds nothing but frames by the names of a folder of images, put there as a whole; says so.

    Raises:
        InputError: if one of the folders cannot be read.
    """
    if not (source.is_dir() and target.is_dir() and not source.samefile(target)):
        return False
    names = {path.name for path in entries(target)}
    done = bool(names) and names <= {path.name for path in pictures(entries(source))}
    if done:
        warnings.warn(
            f"{target} holds the frames already and is left as it is; use --overwrite to derain them again",
            RaincheckWarning,
            stacklevel=2,
        )
    return done


def prepare(folder: Path, names: set[str], overwrite: bool) -> None:
    """Makes the folder, unless it is there.

    Raises:
        OutputError: if it cannot be made, or holds something else and `overwrite` is False.
    """
    try:
        folder.mkdir(exist_ok=True)
        others = sorted(path.name for path in folder.iterdir() if path.name not in names)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}; choose another folder") from None
    if others and not overwrite:
        raise OutputError(
            f"cannot write {folder}: the folder is not empty and holds {others[0]}; choose another, or use --overwrite"
        )
