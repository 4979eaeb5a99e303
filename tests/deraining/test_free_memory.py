"""How much memory is free, as other programs see it."""

import os
import re
import resource
from itertools import permutations
from pathlib import Path

import pytest
import torch

from raincheck.deraining import free_memory
from raincheck.deraining.free_memory import UNKNOWN, address_room, available, free_bytes

CPU = torch.device("cpu")


def test_what_is_available_is_about_what_is_unused_or_more_and_not_more_than_there_is() -> None:
    unused, all_there_is = (
        os.sysconf(name) * os.sysconf("SC_PAGE_SIZE") for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES")
    )
    assert unused / 2 < (available() or 0) < all_there_is  # the kernel keeps some of it


def test_a_limit_on_the_address_space_leaves_what_is_not_taken() -> None:
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    if before != resource.RLIM_INFINITY:
        pytest.skip("there is a limit already")
    assert address_room() is None
    taken = re.search(r"VmSize:\s+(\d+)", Path("/proc/self/status").read_text())
    assert taken is not None
    resource.setrlimit(resource.RLIMIT_AS, (2**46, most))
    try:
        assert address_room() == pytest.approx(2**46 - 1024 * int(taken[1]), abs=2**24)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, most))


def test_the_tightest_limit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for system, group, address in permutations([1e9, 2e9, 3e9]):
        monkeypatch.setattr(free_memory, "available", lambda system=system: system)
        monkeypatch.setattr(free_memory, "cgroup_rooms", lambda folder, groups, group=group: [group, 4e9])
        monkeypatch.setattr(free_memory, "address_room", lambda address=address: address)
        assert free_bytes(CPU) == 1e9
    for name, nothing in (("available", None), ("cgroup_rooms", []), ("address_room", None)):
        monkeypatch.setattr(free_memory, name, lambda *_, nothing=nothing: nothing)
    assert free_bytes(CPU) == UNKNOWN
