"""Several windows at once: the same frames in the same order, and nothing computed twice."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from test_tiles import frames, network
from torch import Tensor

from raincheck import derain
from raincheck.deraining import room
from raincheck.deraining.engine import Engine
from raincheck.deraining.passing import derain_pictures
from raincheck.deraining.several import in_order
from raincheck.errors import ConfigError
from raincheck.video.stream import FOLDER_RATE, at_rate
from tinyvideo import smooth, write_video

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def derained(engine: Engine, at_once: int, video: Tensor | None = None) -> Tensor:
    video = frames(7, 32, 48) if video is None else video
    pictures = derain_pictures(at_rate(video, FOLDER_RATE), engine, cuts=False, at_once=at_once)
    return torch.stack([frame for _, frame in pictures])


def test_two_are_in_work_at_once_and_come_in_order() -> None:
    """Each waits for the other, so that one at a time would never end."""
    together = threading.Barrier(2, timeout=60)
    shares = []

    def work(item: int) -> int:
        together.wait()
        shares.append(torch.get_num_threads())
        return item * item

    assert list(in_order(work, range(8), 2)) == [item * item for item in range(8)]
    assert shares == [1] * 8
    assert torch.get_num_threads() == 2


def test_one_at_a_time_takes_no_item_early() -> None:
    taken = []
    results = in_order(str, (taken.append(item) or item for item in range(4)), 1)
    assert next(results) == "0" and taken == [0]


def test_errors_come_after_the_results_before_them() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise LookupError("of the items")

    found = []
    with pytest.raises(LookupError, match="of the items"):
        found += list(in_order(lambda item: found.append(item), items(), 2))
    assert sorted(found) == [0, 1, 2]
    results = in_order(lambda item: 6 // (2 - item), range(4), 2)
    assert [next(results), next(results)] == [3, 6]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert torch.get_num_threads() == 2


def test_what_is_not_wanted_any_more_is_not_begun() -> None:
    begun, go = [], threading.Event()
    results = in_order(lambda item: (begun.append(item), item and go.wait(60)), iter(range(100)), 2)
    next(results)
    threading.Timer(0.2, go.set).start()
    results.close()
    assert len(begun) <= 3
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("derain")]


def test_the_same_frames_and_each_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    whole, real, encoded = derained(Engine(net, CPU), 1), net.encode, []
    monkeypatch.setattr(net, "encode", lambda frames: (encoded.append(frames), real(frames))[1])
    assert torch.equal(derained(Engine(net, CPU), 2), whole)
    assert len(encoded) == len(whole)


def test_two_that_run_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    net, video = network(), frames(5, 40, 400)
    whole, real = derained(Engine(net, CPU), 1, video), net.decode

    def small(features: list[Tensor], centre: Tensor) -> Tensor:
        if centre.shape[-1] > 200:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(features, centre)

    monkeypatch.setattr(net, "decode", small)
    assert (derained(Engine(net, CPU, tile="auto"), 2, video).int() - whole.int()).abs().max() <= 1
    with pytest.raises(ConfigError, match=r"^the memory of cpu is too small for frames of 400x40 "):
        derained(Engine(net, CPU), 2, video)


def test_where_two_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    net, size = network(), (32, 48)
    assert Engine(net, CPU).at_once(size) == 2
    assert Engine(net, torch.device("cuda")).at_once(size) == 1
    assert Engine(net, CPU, compile=True).at_once(size) == 1
    one, two = (room.needed(net, size, room.feature_bytes(net, CPU), None, True, at_once) for at_once in (1, 2))
    monkeypatch.setattr(room, "free_bytes", lambda _: 2 * two)
    assert Engine(net, CPU, tile="auto").at_once(size) == 2
    monkeypatch.setattr(room, "free_bytes", lambda _: one + two)
    assert Engine(net, CPU, tile="auto").at_once(size) == 1
    torch.set_num_threads(1)
    assert Engine(net, CPU).at_once(size) == 1


def test_a_file_is_derained_two_at_a_time_and_frames_that_are_waited_for_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = in_order
    monkeypatch.setattr("raincheck.deraining.passing.in_order", lambda *rest: (seen.append(rest[-1]), real(*rest))[1])
    source = tmp_path / "in.mp4"
    write_video(source, smooth(6))
    derain(source, tmp_path / "out.mp4", weights="rrgnet-small")
    list(derain(source, weights="rrgnet-small"))
    derain(iter(smooth(6)), tmp_path / "out.mp4", weights="rrgnet-small")
    assert seen == [2, 1, 1]
    torch.set_num_threads(1)
    one = tmp_path / "one.mp4"
    derain(source, one, weights="rrgnet-small")
    torch.set_num_threads(2)
    derain(source, tmp_path / "two.mp4", weights="rrgnet-small")
    assert one.read_bytes() == (tmp_path / "two.mp4").read_bytes()
