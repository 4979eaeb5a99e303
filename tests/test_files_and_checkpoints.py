"""Files are written whole or not at all; checkpoints run no code."""

import errno
import fcntl
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from raincheck import checkpoint
from raincheck.errors import ConfigError, OutputError
from raincheck.files import is_free, lock, locked, replace_file, write_text


class FullDisk:
    """A file system that has room for so many bytes more."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[: self.room])
            if len(content) > self.room:
                raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_text(path, "old")
    with pytest.raises(OutputError) as error:
        replace_file(path, lambda partial: FullDisk(3).write(partial, b"newer"))
    assert str(error.value) == (
        f"cannot write {path}: No space left on device; choose a writable place with free space"
    )
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    replace_file(path, lambda partial: FullDisk(5).write(partial, b"newer"))
    assert path.read_text() == "newer" and list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_under_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.save itself meets a full disk: the device that is always full."""
    path = tmp_path / "last.ckpt"
    checkpoint.save(path, {"step": 1})
    real = torch.save

    def save_to_full(state: Any, partial: Path) -> None:
        partial.symlink_to("/dev/full")
        real(state, partial)

    monkeypatch.setattr(torch, "save", save_to_full)
    with pytest.raises(OutputError, match=r"^cannot write .*last.ckpt: .*; choose a writable place with free space$"):
        checkpoint.save(path, {"step": 2, "tensor": torch.zeros(10**6)})
    assert list(tmp_path.iterdir()) == [path]
    loaded = checkpoint.load(path)
    assert loaded is not None and loaded["step"] == 1


def test_an_interrupt_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_text(path, "old")

    def write(partial: Path) -> None:
        partial.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_file(path, write)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("where", ["none/x", "file/x", "folder"])
def test_places_where_no_file_can_be(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=r"^cannot write .*; choose a writable place with free space$"):
        write_text(tmp_path / where, "text")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("name", ["n" * 255, "ü" * 127])
def test_the_longest_names_can_be_written_again_and_again(tmp_path: Path, name: str) -> None:
    for text in ("old", "new"):
        write_text(tmp_path / name, text)
    assert [path.name for path in tmp_path.iterdir()] == [name] and (tmp_path / name).read_text() == "new"


def test_names_that_are_too_long_are_to_be_shorter(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"n: File name too long; choose a shorter name$"):
        write_text(tmp_path / ("n" * 256), "text")
    with (
        pytest.raises(OutputError, match=r"n: File name too long; choose a shorter name$"),
        locked(tmp_path / ("n" * 256)),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_goes_around(tmp_path: Path) -> None:
    state = {"a": torch.arange(3), "b": {"c": [1, 2.5, "x", None]}}
    assert checkpoint.load(tmp_path / "x") is None
    checkpoint.save(tmp_path / "x", state)
    loaded = checkpoint.load(tmp_path / "x")
    assert loaded is not None and torch.equal(loaded["a"], state["a"]) and loaded["b"] == state["b"]


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_hostile_checkpoints_run_nothing(tmp_path: Path) -> None:
    bomb, path = Bomb(tmp_path / "hit"), tmp_path / "run" / "checkpoints" / "last.ckpt"
    path.parent.mkdir(parents=True)
    for write in (
        lambda: torch.save(bomb, path),
        lambda: torch.save({"network": bomb, "versions": checkpoint.versions()}, path),
        lambda: path.write_bytes(pickle.dumps(bomb)),
    ):
        write()
        with pytest.raises(ConfigError) as error, warnings.catch_warnings():
            warnings.simplefilter("error")
            checkpoint.load(path)
        assert "weights_only" not in str(error.value)  # no advice to let it run
        assert str(error.value).startswith(f"the checkpoint {path} cannot be read (") and "\n" not in str(error.value)
        assert str(error.value).endswith("; delete it to start over")
    assert not (tmp_path / "hit").exists()
    pickle.loads(pickle.dumps(bomb))  # the bomb is a real one
    assert (tmp_path / "hit").exists()


def test_spoilt_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    checkpoint.save(path, {"tensor": torch.arange(100)})
    whole = path.read_bytes()
    contents = [b"", b"\n", b"noise" * 99, whole[: len(whole) // 2], whole[:-10], pickle.dumps({"a": 1})]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"^the checkpoint .* cannot be read \(.*\); delete it to start over$"):
            checkpoint.load(path)
    for other in ([1, 2], torch.ones(2), {"a": 1}, {"versions": "1.0"}, {"versions": 1}):
        torch.save(other, path)
        with pytest.raises(ConfigError, match=r"^the checkpoint .* cannot be read \(.*\); delete it to start over$"):
            checkpoint.load(path)


def test_not_a_bit_of_a_checkpoint_may_change(tmp_path: Path) -> None:
    """Of what is read, that is; torch, which does not look, would go on with other weights."""
    path, changed = tmp_path / "last.ckpt", 0
    state = {"tensor": torch.arange(1000.0), "text": "rain"}
    checkpoint.save(path, state)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        try:
            loaded = checkpoint.load(path)
        except ConfigError as error:
            changed += 1
            assert str(error).startswith(f"the checkpoint {path} cannot be read (")
        else:
            assert loaded is not None and torch.equal(loaded["tensor"], state["tensor"]) and loaded["text"] == "rain"
    assert changed > 4000 / 7  # bytes of the tensor


def test_other_versions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    path.parent.mkdir(parents=True)
    now = checkpoint.versions()
    monkeypatch.setattr(checkpoint, "versions", lambda: {**now, "torch": "0.1"})
    checkpoint.save(path, {})
    monkeypatch.setattr(checkpoint, "versions", lambda: now)
    with pytest.raises(ConfigError) as error:
        checkpoint.load(path)
    assert str(error.value) == (
        f"the checkpoint {path} was written by other package versions (torch 0.1 then, {now['torch']} now); "
        "install those, or choose another folder"
    )


def test_checkpoints_of_another_commit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or what they do not hold would be missed in the middle of resuming."""
    path = tmp_path / "last.ckpt"
    monkeypatch.setattr(checkpoint, "FORMAT", "1")
    checkpoint.save(path, {})
    monkeypatch.undo()
    with pytest.raises(ConfigError, match=r"\(checkpoint format 1 then, 3 now\)"):
        checkpoint.load(path)


def test_the_lock_keeps_a_second_process_out(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from raincheck.files import locked\n"
        "with locked(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "in\n"
    with pytest.raises(OutputError) as error, locked(tmp_path):
        pass
    assert str(error.value) == (f"another process is running in {tmp_path}; wait for it or choose another --out")
    process.kill()
    process.communicate()
    with locked(tmp_path):  # the lock went with the process
        pass


def test_file_systems_without_locks_can_be_worked_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:  # as Lustre's, mounted without flock
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked(tmp_path / "run"), (tmp_path / "record.jsonl").open("a") as record:
        lock(record.fileno(), wait=True)
        assert is_free(tmp_path / "run", 0)


def test_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with (
            pytest.raises(OutputError, match=r"^cannot write to .*; choose a writable --out$"),
            locked(path),
        ):
            pass
