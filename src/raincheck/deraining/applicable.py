"""Options that could do nothing for an input or an output are refused, not ignored."""

from fractions import Fraction
from pathlib import Path

from raincheck.errors import ConfigError
from raincheck.video.writing.encoders import Encoding
from raincheck.video.writing.output import is_image, is_video


def check_applicable(
    source: Path | None, output: Path | None, fps: Fraction | float | str | None, encoding: Encoding, overwrite: bool
) -> None:
    """Refuses options that cannot apply.

    Args:
        source: the input; None for frames in memory.
        output: None where frames are yielded.
        fps: frames per second, if they were given.
        encoding: what was given of it.
        overwrite: whether a folder may be replaced.

    Raises:
        ConfigError: naming the first.
    """
    if fps is not None and source is not None and source.is_file() and not is_image(source):
        raise ConfigError(
            f"--fps is for images and raw frames, and {source} is a video, which has a rate of its own; leave it out"
        )
    given = {"--codec": encoding.codec, "--crf": encoding.crf, "--pixel-format": encoding.pixel_format}
    for name, value in given.items():
        if value is not None and (output is None or not is_video(output)):
            what = "raw frames are" if output is None else f"{output} is"
            raise ConfigError(f"{name} is for video files, which {what} not; leave it out")
    if overwrite and output is None:
        raise ConfigError("--overwrite is for folders of frames, and raw frames replace nothing; leave it out")
