"""Whether a video file ends where its container says that it does.

FFmpeg conceals missing ends: a cut file often just plays shorter. Frame counts are poor evidence the other way round,
because edit lists, dropped frames and uncoded frames make whole files decode to fewer frames than their header
announces. So the evidence used here is the length in bytes: MP4 and MOV boxes, RIFF (AVI) chunks and the Matroska
(WebM) segment state theirs in the file's outermost layer, and a whole file is never shorter. A live recording that
leaves its length open, and other containers, pass; what is broken inside is found by decoding, if at all (damage.py).
"""

from pathlib import Path
from typing import BinaryIO

from raincheck.errors import InputError

BOXES = {b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"pnot", b"styp", b"sidx"}
# HEIF's brands, and the names of its files: boxes like MP4's, but pictures, and no index of frames.
HEIF = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"}
HEIF_SUFFIXES = {".heic", ".heif", ".hif", ".avif"}
EBML, SEGMENT = bytes.fromhex("1A45DFA3"), bytes.fromhex("18538067")


def check_intact(path: Path) -> None:
    """Compares a video file's length with the length that its container states.

    Args:
        path: an existing file of any kind.

    Raises:
        InputError: if the file is empty, unreadable, truncated, or an MP4 without an index.
    """
    try:
        actual = path.stat().st_size
        with path.open("rb") as file:
            stated = stated_length(file, actual)
            file.seek(8)
            brand = file.read(4)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions") from None
    if actual == 0:
        raise InputError(f"{path} is empty (0 bytes); give a whole video file")
    if stated is None and brand in HEIF:
        raise heif(path)
    if stated is None:
        raise InputError(f"{path} is truncated: its index, the moov box, is missing; copy or download the file again")
    if stated > actual:
        raise InputError(
            f"{path} is truncated: it has {actual} bytes of the {stated} that its container states; copy or download "
            "the file again"
        )


def heif(path: Path) -> InputError:
    """One sentence about a picture that is not read."""
    return InputError(f"{path} is a picture of the HEIF family, which is not read; save it as PNG or JPEG")


def stated_length(file: BinaryIO, actual: int) -> int | None:
    """Bytes that the container states, 0 where it states none; None for an MP4 that has no index."""
    head = file.read(12)
    if head[4:8] in BOXES:
        return boxes_length(file, actual)
    if head[:4] == b"RIFF" and head[8:] == b"AVI ":
        return riff_length(file, actual)
    if head[:4] == EBML:
        return matroska_length(file)
    return 0


def boxes_length(file: BinaryIO, actual: int) -> int | None:
    """ISO/IEC 14496-12, 4.2: the end of the last media or index box; None if there is no index.

    Boxes of unknown types are skipped and not believed: they may be rubbish after the end.
    """
    position, end, indexed = 0, 0, False
    while position + 8 <= actual:
        file.seek(position)
        header = file.read(16)
        size, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if size == 1:  # a 64-bit size follows
            size = int.from_bytes(header[8:], "big")
        indexed = indexed or kind in (b"moov", b"moof")
        if size < 8:  # 0 is up to the end of the file
            break
        position += size
        end = position if kind in BOXES else end
    # Without an index the media box is the likelier victim: say that it is too short where it is.
    return end if indexed or end > actual else None


def riff_length(file: BinaryIO, actual: int) -> int:
    """The end of the last RIFF chunk; OpenDML files over 1 GB have several."""
    position, end = 0, 0
    while position + 12 <= actual:
        file.seek(position)
        header = file.read(12)
        size = int.from_bytes(header[4:8], "little")
        if header[:4] != b"RIFF" or size == 2**32 - 1:  # rubbish after the end; a length left open
            break
        end = position + 8 + size
        position = end + size % 2
    return end


def matroska_length(file: BinaryIO) -> int:
    """RFC 8794, 6: the end of the Segment element, 0 if its length is left open."""
    file.seek(4)
    header = read_vint(file)
    file.seek((header or 0), 1)
    if header is None or file.read(4) != SEGMENT:
        return 0
    size = read_vint(file)
    return 0 if size is None else file.tell() + size


def read_vint(file: BinaryIO) -> int | None:
    """RFC 8794, 4: a variable-length integer; None if all its bits are set, which leaves the length open."""
    first = int.from_bytes(file.read(1), "big")
    if first == 0:
        return None
    extra = 8 - first.bit_length()
    value = int.from_bytes(bytes([first & ((1 << (7 - extra)) - 1)]) + file.read(extra), "big")
    return None if value == (1 << (7 * (extra + 1))) - 1 else value
