"""The report as a browser sees it: nothing is fetched, nothing runs, and something is painted."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from raincheck.report import write_report
from tools import require_tool

pytestmark = pytest.mark.slow
# Without the last six, Chromium asks its makers' hosts for updates at every start.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--window-size=1000,1400",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
]


def browse(page: Path, profile: Path, *options: str) -> str:
    chromium = require_tool("chromium", "chromium-browser", "google-chrome")
    command = [chromium, *FLAGS, f"--user-data-dir={profile}", *options, page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_page_is_painted_and_scripts_in_names_do_not_run(make_run: Callable[..., Path], tmp_path: Path) -> None:
    attack = "<script>document.title='owned'</script>"
    run = make_run("evil", method=attack)
    write_report([run], tmp_path / "report.html", title="A title")
    seen = browse(tmp_path / "report.html", tmp_path / "profile", "--dump-dom")
    assert "<title>A title</title>" in seen
    assert "&lt;script&gt;" in seen  # the name is shown, as text
    picture = tmp_path / "page.png"
    browse(tmp_path / "report.html", tmp_path / "profile", f"--screenshot={picture}")
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    assert pixels.shape == (1400, 1000, 3)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50  # heat map, curves and text, not a blank page
