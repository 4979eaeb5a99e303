"""Containers byte by byte, as their specifications have them: what is whole is read, what is shorter is refused."""

from pathlib import Path

import pytest

from raincheck.errors import InputError
from raincheck.video.reading.intact import check_intact


def box(kind: bytes, size: int = 50) -> bytes:
    return (8 + size).to_bytes(4, "big") + kind + bytes(size)


def riff(kind: bytes, size: int) -> bytes:
    """A chunk and, behind an odd one, the byte that fills it up."""
    return b"RIFF" + (4 + size).to_bytes(4, "little") + kind + bytes(size + size % 2)


STATED = {
    "more than 4 GB may be in it": box(b"ftyp")
    + box(b"moov")
    + b"\0\0\0\1mdat"
    + (116).to_bytes(8, "big")
    + bytes(100),
    "a segment of a stream": box(b"styp") + box(b"moof") + box(b"mdat"),
    "several chunks": riff(b"AVI ", 101) + riff(b"AVIX", 40),
}
OPEN = {
    "a box up to the end": box(b"ftyp") + box(b"moov") + b"\0\0\0\0mdat" + bytes(100),
    "no length yet": riff(b"AVI ", 100).replace(b"RIFF\x68\0\0\0", b"RIFF\0\0\0\0"),
    "an unknown length": riff(b"AVI ", 100).replace(b"RIFF\x68\0\0\0", b"RIFF\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("name", STATED | OPEN)
def test_whole_and_cut(tmp_path: Path, name: str) -> None:
    content = {**STATED, **OPEN}[name]
    (tmp_path / "a").write_bytes(content)
    check_intact(tmp_path / "a")
    (tmp_path / "a").write_bytes(content[:-1])
    if name in OPEN:
        check_intact(tmp_path / "a")  # nothing tells
    else:
        with pytest.raises(InputError, match=rf"it has {len(content) - 1} bytes of the {len(content)} that its cont"):
            check_intact(tmp_path / "a")
