"""Headless Chromium, driven through a pipe by its DevTools protocol: what a person at the keyboard does and sees."""

import base64
import fcntl
import json
import os
import select
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from program import PATIENCE
from tools import require_tool

# Without these, Chromium asks its makers' hosts for updates at every start.
QUIET = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
]
KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowLeft": 37, "ArrowRight": 39, "ArrowDown": 40, "End": 35, "Home": 36}


class Browser:
    """One page of a browser of its own.

    Args:
        profile: an empty folder for the browser's files.

    Attributes:
        complaints: what the console holds of errors and warnings, those about policies and addresses included.
    """

    def __init__(self, profile: Path) -> None:
        chromium = require_tool("chromium", "chromium-browser", "google-chrome")
        hears, self._commands = _pipe()
        self._answers, speaks = _pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe", *QUIET]
        self._process = subprocess.Popen(
            [chromium, *flags, f"--user-data-dir={profile}", "about:blank"],
            close_fds=False,  # all others are closed by the system
            preexec_fn=lambda: (os.dup2(hears, 3), os.dup2(speaks, 4)),  # which the protocol wants
            stderr=subprocess.DEVNULL,
        )
        os.close(hears)
        os.close(speaks)
        self.complaints: list[str] = []
        self._number, self._unread, self._events = 0, b"", list[dict[str, Any]]()
        self._session: str | None = None
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.command(f"{domain}.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._commands)  # at which the browser ends
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)

    def open(self, page: Path) -> None:
        """Loads a file and waits until it has loaded; forgets earlier complaints."""
        self.complaints.clear()
        self._events.clear()
        self.command("Page.navigate", url=page.as_uri())
        self._wait_for("Page.loadEventFired")

    def look(self, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Sets the window's size in pixels, and whether the reader prefers a dark page."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression; of a promise, what it comes to."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Presses keys of the keyboard, one after another."""
        for key in keys:
            pressed = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": KEYS[key]}
            text = {"text": "\r" if key == "Enter" else key} if key in ("Enter", " ") else {}
            self.command("Input.dispatchKeyEvent", type="keyDown", **pressed, **text)
            self.command("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drags the mouse from one point of the window to another."""
        for kind, (x, y) in (("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)):
            self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def picture(self) -> bytes:
        """What the window shows, as a PNG."""
        return base64.b64decode(self.command("Page.captureScreenshot")["data"])

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends a command and returns its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _wait_for(self, event: str) -> None:
        while not any(seen["method"] == event for seen in self._events):
            self._note(self._read())

    def _note(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        details = event["params"]
        if event["method"] == "Runtime.exceptionThrown":
            self.complaints.append(str(details["exceptionDetails"]))
        elif event["method"] == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(details["args"]))
        elif event["method"] == "Log.entryAdded" and details["entry"]["level"] in ("error", "warning"):
            self.complaints.append(details["entry"]["text"])

    def _read(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._unread:
            assert select.select([self._answers], [], [], max(0, end - time.monotonic()))[0], "the browser is silent"
            part = os.read(self._answers, 2**20)
            assert part, "the browser has ended"
            self._unread += part
        message, self._unread = self._unread.split(b"\0", 1)
        read: dict[str, Any] = json.loads(message)
        return read


def _pipe() -> tuple[int, int]:
    """A pipe whose descriptors are none of those that the child is to get."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
