"""What a report says of the machine."""

import platform
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import torch

from raincheck.tracking import origin

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (
            "processor\t: 0\nmodel name\t: Some  Processor @ 2 GHz\nmodel name\t: Some  Processor\n",
            "Some Processor @ 2 GHz",
        ),
        ("processor\t: 0\nBogoMIPS\t: 48.00\n", ""),
        (None, ""),
    ],
)
def test_the_processor_on_linux(
    content: str | None, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(origin, "CPUINFO", tmp_path / "cpuinfo")
    if content is not None:
        origin.CPUINFO.write_text(content)
    assert origin.processor() == name
    parts = origin.machine(CPU).split(", ")
    assert (parts[1] == name and len(parts) == 3) if name else len(parts) == 2


def test_the_processor_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def sysctl(command: Any, **kwargs: Any) -> CompletedProcess[str]:
        return CompletedProcess(command, 0, "Apple M9\n", "")

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(origin.subprocess, "run", sysctl)
    assert origin.processor() == "Apple M9"
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setattr(platform, "processor", lambda: "Intel64 Family 6")
    monkeypatch.setattr(origin, "CPUINFO", Path("nowhere"))
    assert origin.processor() == "Intel64 Family 6"
