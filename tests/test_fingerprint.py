"""A run goes on with the data that it began with, or not at all."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from raincheck.fingerprint import ENDS, changed, fingerprints


@dataclass
class Video:
    """Holds paths as data sets do: at any depth."""

    path: Path
    more: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def video(tmp_path: Path) -> Video:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "0001.png").write_bytes(b"one")
    (tmp_path / "clip.mp4").write_bytes(b"a" * (3 * ENDS))
    made = Video(tmp_path / "clip.mp4", {"inner": [(Video(tmp_path / "frames"),)]})
    made.more["itself"] = made
    return made


def test_every_path_is_found_however_deep(video: Video, tmp_path: Path) -> None:
    found = fingerprints([video])
    assert found.keys() == {str(tmp_path / "clip.mp4"), str(tmp_path / "frames")}
    assert changed(found, fingerprints([video])) == []


@pytest.mark.parametrize("content", [b"a" * (3 * ENDS - 1), b"b" + b"a" * (3 * ENDS - 1), b"a" * (3 * ENDS - 1) + b"b"])
def test_a_changed_file_is_named(video: Video, tmp_path: Path, content: bytes) -> None:
    before = fingerprints([video])
    (tmp_path / "clip.mp4").write_bytes(content)
    assert changed(before, fingerprints([video])) == [str(tmp_path / "clip.mp4")]


def test_a_changed_folder_is_named(video: Video, tmp_path: Path) -> None:
    before = fingerprints([video])
    (tmp_path / "frames" / "0002.png").write_bytes(b"two")
    assert changed(before, fingerprints([video])) == [str(tmp_path / "frames")]
    (tmp_path / "frames" / "0002.png").unlink()
    (tmp_path / "frames" / "0001.png").rename(tmp_path / "frames" / "0003.png")
    assert changed(before, fingerprints([video])) == [str(tmp_path / "frames")]


def test_missing_and_new_paths_are_named(video: Video, tmp_path: Path) -> None:
    before = fingerprints([video])
    (tmp_path / "clip.mp4").unlink()
    assert changed(before, fingerprints([video])) == [str(tmp_path / "clip.mp4")]
    assert changed({}, before) == sorted(before)
